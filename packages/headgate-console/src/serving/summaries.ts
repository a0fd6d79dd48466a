import type { Collector } from "../counting/collector.ts";
import { readSummary, type StoredSummary, type Summary } from "../counting/summary.ts";
import type { ProcessView } from "./view.ts";

/** A process without a new summary for this long has ended or cannot write. */
const SILENT_AFTER_MS = 30_000;

/** The counts of all processes. */
export interface Summaries {
  views: ProcessView[];
  all: Summary[];
  /** How many stored summaries could not be read. */
  unreadable: number;
}

/** Reads the counts of this process and of the others. */
export async function readSummaries(
  collector: Collector,
  others: (() => Promise<readonly StoredSummary[]>) | undefined,
): Promise<Summaries> {
  const own = collector.summary();
  const views = [viewOf(own, 0, "own")];
  const all = [own];
  let unreadable = 0;
  for (const { text, ageMs } of (await others?.()) ?? []) {
    const summary = readSummary(text);
    if (summary === undefined) unreadable += 1;
    else if (summary.process.id !== collector.id) {
      all.push(summary);
      views.push(viewOf(summary, ageMs, ageMs < SILENT_AFTER_MS ? "live" : "silent"));
    }
  }
  return { views, all, unreadable };
}

function viewOf({ process, limiters }: Summary, ageMs: number, state: ProcessView["state"]): ProcessView {
  return { ...process, ageMs, state, limiters };
}
