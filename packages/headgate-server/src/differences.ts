import type { Replayed } from "./replay.ts";

/** A decision that a replay under the same policy made otherwise. */
export interface Difference {
  readonly replayed: Replayed;
  /** What differs, in words. */
  readonly what: string;
}

/** Decisions that the outage policies made while the store could not answer: only their process knew what they were made of. */
export function isComparable({ line }: Replayed): boolean {
  return line.by !== "outage-policy";
}

/**
 * Where a replay under the same policy differs from its log: in whether it admits, in the reason, the limit and the wait, and in what is left of
 * the tightest limit. A wait for holders is an upper bound, which each heartbeat moves; a refusal from memory repeats an earlier
 * answer: of both, the decision and its reason are compared.
 */
export function differencesOf(decisions: readonly Replayed[]): Difference[] {
  return decisions.filter(isComparable).flatMap((replayed) => {
    const what = differs(replayed);
    return what === undefined ? [] : [{ replayed, what }];
  });
}

function differs(now: Replayed): string | undefined {
  const { line } = now;
  if (line.admitted !== now.admitted)
    return now.admitted ? "was refused, is admitted" : "was admitted, is refused";
  if (line.admitted) return line.left === now.left ? undefined : `had ${line.left} left, has ${now.left}`;
  if (line.reason !== now.reason) return `was refused for ${line.reason}, is for ${now.reason}`;
  if (line.by === "refusal-memory" || line.waitsFor === "holders" || now.waitsFor === "holders")
    return undefined;
  if (line.limit !== now.limit) return `was refused by ${line.limit}, is by ${now.limit}`;
  const waitMs = Number.isFinite(now.waitMs) ? now.waitMs : null;
  return line.waitMs === waitMs ? undefined : `waited ${line.waitMs} ms, waits ${waitMs} ms`;
}
