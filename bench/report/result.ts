import type { Figure } from "../measuring/figures.ts";

export type Kind = "headgate" | "peer" | "floor";

export interface Row {
  readonly label: string;
  readonly kind: Kind;
  /** What the contender does not guarantee, or how it is set up. */
  readonly note: string;
  /** One figure per column; `null` if not measured. */
  readonly figures: readonly (Figure | null)[];
}

export interface Column {
  readonly title: string;
  /** The unit, if the title does not contain it. */
  readonly unit: string;
  readonly better: "less" | "more";
}

export interface Table {
  /** Part of a file's name. */
  readonly id: string;
  readonly title: string;
  /** The name of the row of kind `headgate` with which other rows are compared. Default: "headgate". */
  readonly base?: string;
  readonly columns: readonly Column[];
  readonly rows: readonly Row[];
}

/** A target for a figure, and whether this run met it. */
export interface Target {
  readonly what: string;
  readonly wanted: string;
  readonly measured: string;
  readonly isMet: boolean;
  /** The best floor, shown if the target is not met. */
  readonly floor?: string;
}

export interface SectionResult {
  readonly name: string;
  readonly title: string;
  /** Sentences about the method. */
  readonly method: readonly string[];
  readonly tables: readonly Table[];
  readonly targets: readonly Target[];
}

export interface RunOptions {
  /** Whether to use small sizes, to check only that the benchmark works. */
  readonly isQuick: boolean;
  /** Prints progress. */
  say(line: string): void;
}

export interface Section {
  readonly name: string;
  run(options: RunOptions): Promise<SectionResult>;
}
