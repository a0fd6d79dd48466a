import type { Row, Table } from "./result.ts";
import { columnText, figureText } from "./text.ts";

const width = 820;
const left = 300;
const right = 190;
const rowHeight = 22;
const titleHeight = 34;
const gap = 10;

const style = `
  .page { fill: #fff; stroke: #d8dee4; }
  text { font: 12px system-ui, sans-serif; fill: #1f2328; }
  .title { font-weight: 600; }
  .headgate { fill: #0969da; }
  .peer { fill: #9aa4af; }
  .floor { fill: none; stroke: #9aa4af; stroke-dasharray: 3 2; }
  .spread { stroke: #1f2328; }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117; stroke: #30363d; }
    text { fill: #e6edf3; }
    .headgate { fill: #4493f8; }
    .peer { fill: #6e7781; }
    .floor { stroke: #6e7781; }
    .spread { stroke: #e6edf3; }
  }`;

/** Draws a table: for each column, a bar for each row, with its range. For light and dark pages. */
export function plotOf(table: Table): string {
  const panels = table.columns.map((_, column) => table.rows.filter((row) => row.figures[column] != null));
  const heights = panels.map((rows) => titleHeight + rows.length * rowHeight + gap);
  const height = heights.reduce((sum, each) => sum + each, gap);
  let y = gap;
  const drawn = panels.map((rows, column) => {
    const panel = panelOf(table, column, rows, y);
    y += heights[column] ?? 0;
    return panel;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="what">`,
    `<title id="what">${escaped(table.title)}</title>`,
    `<style>${style}\n</style>`,
    `<rect class="page" x=".5" y=".5" width="${width - 1}" height="${height - 1}" rx="8"/>`,
    ...drawn,
    "</svg>\n",
  ].join("\n");
}

function panelOf(table: Table, column: number, rows: readonly Row[], top: number): string {
  const most = Math.max(...rows.map((row) => row.figures[column]?.high ?? 0), Number.MIN_VALUE);
  const x = (value: number) => round(left + (Math.max(0, value) / most) * (width - left - right));
  const shown = table.columns[column];
  const title = shown === undefined ? "" : columnText(shown);
  const bars = rows.map((row, index) => {
    const figure = row.figures[column];
    if (figure == null) return "";
    const y = top + titleHeight + index * rowHeight;
    const middle = y + rowHeight / 2 - 2;
    return [
      `<text x="${left - 10}" y="${middle + 4}" text-anchor="end">${escaped(row.label)}</text>`,
      `<rect class="${row.kind}" x="${left}" y="${y}" width="${round(Math.max(1, x(figure.median) - left))}" height="${rowHeight - 6}"/>`,
      figure.rounds > 1 ? `<path class="spread" d="M${x(figure.low)} ${middle}H${x(figure.high)}"/>` : "",
      `<text x="${x(figure.high) + 8}" y="${middle + 4}">${escaped(figureText(figure))}</text>`,
    ].join("");
  });
  return [`<text class="title" x="20" y="${top + 20}">${escaped(title)}</text>`, ...bars].join("\n");
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
