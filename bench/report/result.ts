import type { Figure } from "../measuring/figures.ts";

export type Kind = "headgate" | "peer" | "floor";

export interface Row {
  readonly label: string;
  readonly kind: Kind;
  /** What it does not promise, or how it was set up. */
  readonly note: string;
  /** One a column; `null` where it was not measured. */
  readonly figures: readonly (Figure | null)[];
}

export interface Column {
  readonly title: string;
  /** Of what it shows, where the title does not say so. */
  readonly unit: string;
  readonly better: "less" | "more";
}

export interface Table {
  /** Part of a file's name. */
  readonly id: string;
  readonly title: string;
  readonly columns: readonly Column[];
  readonly rows: readonly Row[];
}

/** What issue 5 asks of a figure, and whether this run gave it. */
export interface Target {
  readonly what: string;
  readonly wanted: string;
  readonly measured: string;
  readonly isMet: boolean;
  /** The least that was measured of anything that does the job at all, to be told where the target is not met. */
  readonly floor?: string;
}

export interface SectionResult {
  readonly name: string;
  readonly title: string;
  /** How it was measured, in sentences. */
  readonly method: readonly string[];
  readonly tables: readonly Table[];
  readonly targets: readonly Target[];
}

export interface RunOptions {
  /** Small sizes, to see that it works. */
  readonly isQuick: boolean;
  /** Tells what is going on. */
  say(line: string): void;
}

export interface Section {
  readonly name: string;
  run(options: RunOptions): Promise<SectionResult>;
}
