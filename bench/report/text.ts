import type { Figure } from "../measuring/figures.ts";
import type { Column, Row, SectionResult, Table } from "./result.ts";
import { round } from "./targets.ts";

/** Formats a section for the terminal, ratios first. */
export function sectionText({ title, method, tables, targets }: SectionResult): string {
  const wanted = targets.map(
    ({ what, wanted: aim, measured, isMet, floor }) =>
      `${isMet ? "met    " : "NOT MET"}  ${what}: ${measured} (${aim})${isMet || !floor ? "" : `; floor: ${floor}`}`,
  );
  return [`# ${title}`, ...method, ...tables.map(tableText), ...wanted].join("\n\n").concat("\n");
}

function tableText(table: Table): string {
  const rows = cellsOf(table);
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  const lines = rows.map((row) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join("   "),
  );
  const notes = table.rows.filter(({ note }) => note !== "").map(({ label, note }) => `  ${label}: ${note}`);
  return [`${table.title}`, ...lines, ...notes].join("\n");
}

/** Formats a column's title, unit and better direction. */
export function columnText({ title, unit, better }: Column): string {
  return `${[title, unit].filter(Boolean).join(", ")} ${better === "less" ? "↓" : "↑"}`;
}

/** Returns the cells of a table: a head, and a row for each contender. */
export function cellsOf(table: Table): string[][] {
  const head = [
    "",
    ...table.columns.flatMap((column) => [`× ${table.base ?? "headgate"}`, columnText(column)]),
  ];
  return [
    head,
    ...table.rows.map((row) => [row.label, ...row.figures.flatMap((_, c) => cellOf(table, row, c))]),
  ];
}

function cellOf(table: Table, row: Row, column: number): [string, string] {
  const figure = row.figures[column];
  if (figure == null) return ["", ""];
  const own = table.rows.find(({ kind }) => kind === "headgate")?.figures[column];
  const ratio = own == null || own.median <= 0 ? "" : round(figure.median / own.median);
  return [ratio, figureText(figure)];
}

/** Formats the median, with the range if there were several rounds. */
export function figureText({ median, low, high, rounds }: Figure): string {
  return rounds === 1 ? round(median) : `${round(median)} (${round(low)} to ${round(high)})`;
}
