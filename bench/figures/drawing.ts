import type { Moments } from "./replay.ts";

/** A limit, and the requests that it admitted of the same traffic. */
export interface Panel {
  readonly title: string;
  /** Short lines under the title. */
  readonly notes: readonly string[];
  readonly admitted: Moments;
  readonly refused: Moments;
  /** How long an admitted request counts, for the curve. */
  readonly countsForMs: number;
  readonly quota: number;
  /** The number at the top of the chart. */
  readonly scale: number;
}

const width = 880;
const left = 200;
const right = 32;
const top = 48;
const chartHeight = 64;
const stripHeight = 9;
const panelHeight = 124;
const foot = 30;

// The picture has its own background, because the page may have a different theme.
const style = `
  .page { fill: #ffffff; stroke: #d0d7de } text { fill: #1f2328; font: 12px system-ui, sans-serif }
  .title { font-weight: 600; font-size: 14px } .note { fill: #59636e }
  .within { fill: #0969da; fill-opacity: .25 } .beyond { fill: #cf222e; fill-opacity: .75 }
  .axis { stroke: #d0d7de } .quota { stroke: #59636e; stroke-dasharray: 4 3 }
  .admitted { stroke: #0969da } .refused { stroke: #bc4c00 }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117; stroke: #3d444d } text { fill: #f0f6fc } .note { fill: #9198a1 }
    .within { fill: #4493f8; fill-opacity: .35 } .beyond { fill: #f85149; fill-opacity: .85 }
    .axis { stroke: #3d444d } .quota { stroke: #9198a1 }
    .admitted { stroke: #4493f8 } .refused { stroke: #f0883e }
  }`;

/** Draws panels below each other on the same time axis, as an SVG for light and dark themes. */
export function drawPicture(panels: readonly Panel[], lengthMs: number): string {
  const height = top + panels.length * panelHeight + foot;
  const x = (ms: number) => round(left + (ms / lengthMs) * (width - left - right));
  const described = panels.map(({ title, notes }) => `${title}: ${notes.join(", ")}`).join("; ");
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="name what">`,
    `<title id="name">The same traffic, as each algorithm admits it</title><desc id="what">${described}.</desc>`,
    `<style>${style}\n</style>`,
    `<rect class="page" x=".5" y=".5" width="${width - 1}" height="${height - 1}" rx="8"/>`,
    drawLegend(),
    ...panels.map((panel, index) => drawPanel(panel, top + index * panelHeight, lengthMs, x)),
    ...minutes(lengthMs).map(
      (ms) => `<text class="note" x="${x(ms)}" y="${height - 12}" text-anchor="middle">${clockOf(ms)}</text>`,
    ),
    "</svg>\n",
  ].join("\n");
}

function drawLegend(): string {
  const y = 27;
  const entries = [
    `<rect class="within" x="${left}" y="${y - 10}" width="14" height="12"/>`,
    `<text x="${left + 20}" y="${y}">admitted in the minute before (or in flight)</text>`,
    `<rect class="beyond" x="${left + 290}" y="${y - 10}" width="14" height="12"/>`,
    `<text x="${left + 310}" y="${y}">beyond the quota</text>`,
    `<path class="admitted" d="M${left + 431} ${y - 9}v10m4-10v10m4-10v10"/>`,
    `<text x="${left + 446}" y="${y}">admitted</text>`,
    `<path class="refused" d="M${left + 521} ${y - 9}v10m4-10v10m4-10v10"/>`,
    `<text x="${left + 536}" y="${y}">refused</text>`,
  ];
  return entries.join("");
}

function drawPanel(panel: Panel, y: number, lengthMs: number, x: (ms: number) => number): string {
  const { title, notes, admitted, refused, quota, scale } = panel;
  const bottom = y + chartHeight;
  const level = (count: number) => round(bottom - (Math.min(count, scale) / scale) * chartHeight);
  const curve = steps(panel, lengthMs);
  const area = (from: number, to: (count: number) => number) => {
    const path = curve.map(({ fromMs, toMs, count }) => {
      const size = level(from) - level(to(count));
      if (size <= 0) return "";
      return `M${x(fromMs)} ${level(from)}H${x(toMs)}V${level(to(count))}H${x(fromMs)}z`;
    });
    return path.join("");
  };
  const lines = [
    `M${left} ${bottom}H${width - right}`,
    ...minutes(lengthMs).map((ms) => `M${x(ms)} ${y}V${bottom + 28}`),
  ].join("");
  const strip = (moments: Moments, at: number) =>
    moments.map((ms) => `M${x(ms)} ${at}v${stripHeight}`).join("");
  return [
    `<text class="title" x="20" y="${y + 16}">${title}</text>`,
    ...notes.map((note, n) => `<text class="note" x="20" y="${y + 36 + n * 17}">${note}</text>`),
    `<path class="axis" d="${lines}"/>`,
    `<path class="within" d="${area(0, (count) => Math.min(count, quota))}"/>`,
    `<path class="beyond" d="${area(quota, (count) => Math.max(count, quota))}"/>`,
    `<path class="quota" d="M${left} ${level(quota)}H${width - right}"/>`,
    `<text class="note" x="${left - 6}" y="${level(quota) + 4}" text-anchor="end">${quota}</text>`,
    `<path class="admitted" d="${strip(admitted, bottom + 5)}"/>`,
    `<path class="refused" d="${strip(refused, bottom + 17)}"/>`,
  ].join("\n");
}

interface Step {
  readonly fromMs: number;
  readonly toMs: number;
  readonly count: number;
}

/** Returns how many admitted requests count at each moment. A request at `s` counts in `[s, s + countsForMs)`. */
function steps({ admitted, countsForMs }: Panel, lengthMs: number): Step[] {
  const moments = [0, ...admitted, ...admitted.map((ms) => ms + countsForMs), lengthMs];
  const turns = [...new Set(moments)].filter((ms) => ms <= lengthMs).sort((a, b) => a - b);
  return turns.slice(0, -1).map((fromMs, index) => ({
    fromMs,
    toMs: turns[index + 1] as number,
    count: admitted.filter((ms) => ms <= fromMs && fromMs < ms + countsForMs).length,
  }));
}

function minutes(lengthMs: number): number[] {
  return Array.from({ length: Math.floor(lengthMs / 60_000) + 1 }, (_, n) => n * 60_000);
}

function clockOf(ms: number): string {
  return `${Math.floor(ms / 60_000)}:00`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
