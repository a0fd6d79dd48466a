import { HeadgateError, UnreadableStateError } from "../../core/errors.ts";
import type { LimitGroup, LimitSet } from "../../core/limit-set.ts";
import { type Override, readNote } from "../../core/override.ts";
import type { Outcome, Reading } from "../../core/store.ts";
import { inDoubt } from "../shared/in-doubt.ts";
import { orderOf } from "../shared/order.ts";
import type { StoreRequest } from "./encode.ts";
import { partitionId } from "./partition-id.ts";
import { answerKinds, never } from "./sql/codes.ts";

const neverNumber = Number(never);

/** The positions of a charge's readings and marks in an answer. */
interface Layout {
  /** For each limit, in the order in which they were written. */
  readonly readingAt: readonly number[];
  /** For each group. */
  readonly markAt: readonly number[];
  readonly length: number;
}

const layouts = new WeakMap<LimitSet, Layout>();

function layoutOf(limits: LimitSet): Layout {
  let layout = layouts.get(limits);
  if (layout === undefined) {
    layout = layOut(limits);
    layouts.set(limits, layout);
  }
  return layout;
}

function layOut({ groups, groupOf }: LimitSet): Layout {
  const markAt: number[] = [];
  let length = 0;
  for (const group of groups) {
    markAt.push(length);
    length += 1 + 3 * group.limits.length;
  }
  const seen = new Array<number>(groups.length).fill(0);
  const readingAt = groupOf.map((g) => {
    const nth = seen[g] as number;
    seen[g] = nth + 1;
    return (markAt[g] as number) + 1 + 3 * nth;
  });
  return { readingAt, markAt, length };
}

/**
 * Reads the answer of the `apply` function, one entry for each request: an error if only that request failed.
 *
 * @throws Error if the text is not an answer of the function.
 */
export function decode(
  requests: readonly StoreRequest[],
  text: string,
  schema: string,
): (Outcome | HeadgateError)[] {
  const end = text.indexOf("}");
  const numbers = text.slice(1, end).split(",").map(Number);
  if (numbers.some(Number.isNaN)) {
    throw inDoubt(new Error("PostgreSQL returned an answer that no function of Headgate returns."));
  }
  const now = numbers[0] as number;
  const inForce = overridesIn(text.slice(end + 1));
  const micros = numbers[1] as number;
  let next = 2;
  return requests.map((request, index): Outcome | HeadgateError => {
    const kind = numbers[next];
    next += 1;
    if (kind === answerKinds.corrupt || kind === answerKinds.clocksApart) {
      const group = numbers[next] as number;
      next += 1;
      return faultOf(kind, spaceOfGroup(request, group), schema);
    }
    const entries = entriesOf(request);
    const readings: Reading[][] = [];
    const marks: number[][] = [];
    for (const { limits } of entries) {
      const { readingAt, markAt, length } = layoutOf(limits);
      const from = next;
      readings.push(readingAt.map((at) => readingFrom(numbers, from + at)));
      marks.push(markAt.map((at) => numbers[from + at] as number));
      next += length;
    }
    const admitted = kind === answerKinds.admitted;
    const charged = admitted && request.kind !== "peek";
    const order = orderOf(micros, index);
    const outcome = { admitted, now, order, readings, marks: charged ? marks : [] };
    const refusedFor = reasons.get(kind);
    if (refusedFor === undefined) return outcome;
    if (refusedFor !== "blocked" && refusedFor !== "overridden") return { ...outcome, refusedFor };
    const overrides = entries.map(({ space, key }) => inForce.get(partitionId(space, key).id));
    return { ...outcome, refusedFor, overrides };
  });
}

/** Why a request is refused, if the reason is not a limit. */
const reasons: ReadonlyMap<number | undefined, Outcome["refusedFor"]> = new Map([
  [answerKinds.ended, "ended"],
  [answerKinds.crowded, "crowded"],
  [answerKinds.blocked, "blocked"],
  [answerKinds.overridden, "overridden"],
]);

/** By partition. */
function overridesIn(json: string): ReadonlyMap<string, Override> {
  if (json === "") return new Map();
  const found = Object.entries(JSON.parse(json) as Record<string, [until: number, note: string]>);
  return new Map(
    found.map(([id, [until, note]]) => [
      id,
      readNote(note, until === neverNumber ? Number.POSITIVE_INFINITY : until),
    ]),
  );
}

function readingFrom(numbers: readonly number[], at: number): Reading {
  const waitMs = numbers[at + 1] as number;
  const reading: Reading = {
    remaining: numbers[at] as number,
    waitMs: waitMs === neverNumber ? Number.POSITIVE_INFINITY : Math.abs(waitMs),
    resetMs: numbers[at + 2] as number,
  };
  // A negative wait means: until holders lapse.
  if (waitMs < 0) reading.holders = true;
  return reading;
}

interface Entry {
  readonly space: string;
  readonly key: string;
  readonly limits: LimitSet;
}

function entriesOf(request: StoreRequest): readonly Entry[] {
  if (request.kind === "adjust") return request.adjustments;
  return request.kind === "reset" ? [] : request.charges;
}

/** @param group counted over all entries, from 0 up */
function spaceOfGroup(request: StoreRequest, group: number): string {
  const spaces = entriesOf(request).flatMap(({ space, limits }) =>
    limits.groups.map((_group: LimitGroup) => space),
  );
  return spaces[group] ?? "";
}

function faultOf(kind: number, space: string, schema: string): HeadgateError {
  if (kind === answerKinds.corrupt) {
    return new UnreadableStateError(
      `The PostgreSQL store (schema "${schema}") holds a state of layer "${space}" that it cannot read. The state is left ` +
        "unchanged: another program or a newer release wrote it. Reset the caller, or delete the row.",
    );
  }
  return new HeadgateError(
    "store-state-invalid",
    `The clocks of this process and of the PostgreSQL server differ by more than a window of layer "${space}": ` +
      "the current calendar window is not known. Set the clocks.",
  );
}
