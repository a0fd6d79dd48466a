import type { Replayed } from "./replay.ts";

/** A decision for which a replay under the same policy gives another result. */
export interface Difference {
  readonly replayed: Replayed;
  /** The difference, as text. */
  readonly what: string;
}

/**
 * Whether a decision can be compared. Decisions of outage policies cannot: their counts were known only to the process
 * that made them.
 */
export function isComparable({ line }: Replayed): boolean {
  return line.by !== "outage-policy";
}

/**
 * Lists where a replay under the same policy differs from its log. It compares whether a request is admitted, the
 * reason, the limit, the wait and what remains of the tightest limit. It compares only the decision and its reason if
 * the request waits for holders, because each heartbeat changes that wait, or if the refusal came from memory, because
 * such a refusal repeats an earlier answer.
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
    return now.admitted ? "was refused, now admitted" : "was admitted, now refused";
  if (line.admitted) return line.left === now.left ? undefined : `had ${line.left} left, now has ${now.left}`;
  if (line.reason !== now.reason) return `was refused for ${line.reason}, now for ${now.reason}`;
  if (line.by === "refusal-memory" || line.waitsFor === "holders" || now.waitsFor === "holders")
    return undefined;
  if (line.limit !== now.limit) return `was refused by ${line.limit}, now by ${now.limit}`;
  const waitMs = Number.isFinite(now.waitMs) ? now.waitMs : null;
  return line.waitMs === waitMs ? undefined : `waited ${line.waitMs} ms, now waits ${waitMs} ms`;
}
