import type { Figure } from "../measuring/figures.ts";
import type { Row, Table, Target } from "./result.ts";

/** Returns the median of Headgate's row. */
export function ofHeadgate(table: Table, column: number): number {
  return figureIn(
    table,
    column,
    table.rows.find(({ kind }) => kind === "headgate"),
  ).median;
}

/** Returns the best median of all peers. */
export function ofBestPeer(table: Table, column: number): { label: string; median: number } {
  return best(
    table,
    column,
    table.rows.filter(({ kind }) => kind === "peer"),
  );
}

export function ofRow(table: Table, column: number, label: string): number {
  return figureIn(
    table,
    column,
    table.rows.find((row) => row.label === label),
  ).median;
}

/** Describes the best floor, or the named one. */
export function floorOf(table: Table, column: number, named?: string): string {
  const floors = table.rows.filter(
    ({ kind, label, figures }) =>
      (named === undefined ? kind === "floor" : label === named) && figures[column],
  );
  const { label, median } = best(table, column, floors);
  return `${label}: ${round(median)} ${table.columns[column]?.unit}`.trimEnd();
}

/** A target for a ratio: at most this factor. */
export function atMost(what: string, most: number, of: string, ratio: number, floor?: string): Target {
  return {
    what,
    wanted: `at most ${round(most)} of ${of}`,
    measured: round(ratio),
    isMet: ratio <= most,
    ...(floor === undefined ? {} : { floor }),
  };
}

/** A target for a ratio: at least this many times. */
export function atLeast(what: string, least: number, of: string, ratio: number, floor?: string): Target {
  return {
    what,
    wanted: `at least ${round(least)} times ${of}`,
    measured: round(ratio),
    isMet: ratio >= least,
    ...(floor === undefined ? {} : { floor }),
  };
}

/** A target for an absolute figure: at most this amount. */
export function atMostOf(what: string, most: number, unit: string, measured: number, floor?: string): Target {
  return {
    what,
    wanted: `at most ${round(most)} ${unit}`.trimEnd(),
    measured: `${round(measured)} ${unit}`.trimEnd(),
    isMet: measured <= most,
    ...(floor === undefined ? {} : { floor }),
  };
}

/** Rounds to three significant digits. */
export function round(value: number): string {
  if (value === 0) return "0";
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toLocaleString("en", { maximumFractionDigits: Math.min(digits, 6) });
}

function best(table: Table, column: number, rows: readonly Row[]): { label: string; median: number } {
  const sign = table.columns[column]?.better === "less" ? 1 : -1;
  const [first] = rows
    .filter((row) => row.figures[column] != null)
    .map((row) => ({ label: row.label, median: figureIn(table, column, row).median }))
    .sort((a, b) => sign * (a.median - b.median));
  if (first === undefined) throw new Error(`Nothing to compare with in "${table.title}".`);
  return first;
}

function figureIn(table: Table, column: number, row: Row | undefined): Figure {
  const figure = row?.figures[column];
  if (figure == null) throw new Error(`Not measured: "${table.columns[column]?.title}" of "${table.title}".`);
  return figure;
}
