import { windowAround } from "../../core/algorithms/fixed-window.ts";
import { type StateKind, stateKindOf } from "../../core/algorithms/index.ts";
import { greatestCommonDivisor, type Limit } from "../../core/limit.ts";
import type { LimitGroup, LimitSet } from "../../core/limit-set.ts";

/** What the algorithms are called on the wire and in stored states. Never change them: states outlive releases. */
export const algorithmNumbers: Readonly<Record<StateKind, number>> = {
  "sliding-window": 1,
  "token-bucket": 2,
  "fixed-window": 3,
  "sliding-counter": 4,
  concurrent: 5,
  "coarse-log": 6,
};

interface LimitText {
  readonly text: string;
  /** Until then, and from then on, the edges of the calendar in it are others. */
  readonly from: number;
  readonly until: number;
}

const texts = new WeakMap<LimitSet, LimitText>();

/**
 * A limit set as the script takes it, in JSON: for each group its tag and the algorithm's number, then
 * what the algorithm's part of the script says.
 *
 * @param now where the calendar is read, ms: windows that follow it are computed here, as servers know no time zones.
 */
export function limitText(limits: LimitSet, now: number): string {
  const known = texts.get(limits);
  if (known !== undefined && now >= known.from && now < known.until) return known.text;
  const groups = limits.groups.map((group) => groupNumbers(group, now));
  const spans = limits.limits
    .filter(({ calendar }) => calendar !== undefined)
    .map((limit) => windowAround(limit, now));
  const from = Math.max(Number.NEGATIVE_INFINITY, ...spans.map(({ start }) => start));
  const until = Math.min(Number.POSITIVE_INFINITY, ...spans.map(({ end }) => end));
  const text = JSON.stringify(groups);
  texts.set(limits, { text, from, until });
  return text;
}

const terms = new WeakMap<LimitSet, string>();

/** What the script has to know of a limit set where something is held, in JSON: the lease, ms, and the unit of each group. */
export function termsText(limits: LimitSet): string {
  let text = terms.get(limits);
  if (text === undefined) {
    text = JSON.stringify([limits.leaseMs, ...limits.groups.map(({ unit }) => unitNumber(unit))]);
    terms.set(limits, text);
  }
  return text;
}

/** 29 bits by which a stored reservation knows a unit: few units meet in a partition, and nobody else chooses them. */
function unitNumber(unit: string): number {
  return hash32(unit, 0x5bd1e995) >>> 3;
}

function groupNumbers(group: LimitGroup, now: number): number[] {
  const { id, limits } = group;
  const algorithm = algorithmNumbers[stateKindOf(group)];
  return [groupId(id) * 8 + algorithm, algorithm, ...parameters(limits[0] as Limit, limits, now)];
}

function parameters(first: Limit, limits: readonly Limit[], now: number): number[] {
  const { quota, windowMs } = first;
  switch (first.algorithm) {
    case "sliding-window": {
      const widest = Math.max(...limits.map((limit) => limit.windowMs));
      return [widest, ...limits.flatMap((limit) => [limit.quota, limit.windowMs])];
    }
    case "token-bucket": {
      const divisor = greatestCommonDivisor(quota, windowMs);
      return [quota, windowMs / divisor, quota / divisor, quota * (windowMs / divisor)];
    }
    case "fixed-window":
      if (first.calendar !== undefined) return [quota, 2, ...calendarEdges(first, now)];
      return [quota, first.from === "first-use" ? 1 : 0, windowMs];
    case "sliding-counter":
    case "concurrent":
      return [quota, windowMs];
  }
}

/** Where the windows before, around and the two after `now` begin, and where the last of them ends. */
function calendarEdges(limit: Limit, now: number): number[] {
  const here = windowAround(limit, now);
  const before = windowAround(limit, here.start - 1);
  const next = windowAround(limit, here.end);
  const last = windowAround(limit, next.end);
  return [before.start, here.start, here.end, next.end, last.end];
}

const ids = new Map<string, number>();

/** 37 bits by which a stored state knows its group: few groups meet in a partition, and nobody else chooses them. */
function groupId(text: string): number {
  let id = ids.get(text);
  if (id === undefined) {
    id = (hash32(text, 0x811c9dc5) % 2 ** 18) * 2 ** 19 + (hash32(text, 0x2f0b4a37) % 2 ** 19);
    if (ids.size >= 10_000) ids.clear();
    ids.set(text, id);
  }
  return id;
}

/** FNV-1a, finished as MurmurHash3 finishes. */
function hash32(text: string, seed: number): number {
  let hash = seed;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
