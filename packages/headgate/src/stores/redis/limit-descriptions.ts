import { windowAround } from "../../core/algorithms/fixed-window.ts";
import { type StateKind, stateKindOf } from "../../core/algorithms/index.ts";
import { greatestCommonDivisor, type Limit } from "../../core/limit.ts";
import { counting, type LimitGroup, type LimitSet } from "../../core/limit-set.ts";

/** The algorithms' numbers in calls and stored states. Never change them: states outlive releases. */
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
  /** The sum of how far back the groups remember, ms: it shows whether one of them has changed. */
  readonly memoryMs: number;
  /** The calendar edges in the text are valid from `from` until `until`. */
  readonly from: number;
  readonly until: number;
}

const texts = new WeakMap<LimitSet, LimitText>();

/**
 * A limit set as the script takes it, in JSON: for each group its tag and the algorithm's number, then the values that
 * the algorithm's part of the script describes.
 *
 * @param now the time, ms, at which the calendar is read. Calendar windows are computed here: servers know no time zones.
 */
export function limitText(limits: LimitSet, now: number): string {
  const known = texts.get(limits);
  let memoryMs = 0;
  for (const { memory } of limits.groups) memoryMs += memory.windowMs;
  if (known !== undefined && now >= known.from && now < known.until && known.memoryMs === memoryMs)
    return known.text;
  const groups = limits.groups.map((group) => groupNumbers(group, now));
  const spans = limits.limits
    .filter(({ calendar }) => calendar !== undefined)
    .map((limit) => windowAround(limit, now));
  const from = Math.max(Number.NEGATIVE_INFINITY, ...spans.map(({ start }) => start));
  const until = Math.min(Number.POSITIVE_INFINITY, ...spans.map(({ end }) => end));
  const text = JSON.stringify(groups);
  texts.set(limits, { text, memoryMs, from, until });
  return text;
}

interface LogText {
  readonly text: string;
  readonly memoryMs: number;
}

const logTexts = new WeakMap<LimitSet, LogText>();

/**
 * A limit set that is a single exact sliding window, as the script reads it from a plain request that is alone in its
 * call: the tag, the widest window, ms, the number of values of its limits, and these values.
 *
 * @returns undefined for any other limit set.
 */
export function logText(limits: LimitSet): string | undefined {
  const group = limits.groups[0];
  if (limits.groups.length !== 1 || group === undefined || limits.holdable) return undefined;
  const memoryMs = group.memory.windowMs;
  const known = logTexts.get(limits);
  if (known !== undefined && known.memoryMs === memoryMs) return known.text;
  if (stateKindOf(counting(group)) !== "sliding-window") return undefined;
  const [tag, , widest, ...numbers] = groupNumbers(group, 0);
  const text = [tag, widest, numbers.length, ...numbers].join();
  logTexts.set(limits, { text, memoryMs });
  return text;
}

const terms = new WeakMap<LimitSet, string>();

/** A limit set as the script needs it for holds, in JSON: the lease, ms, and the unit of each group. */
export function termsText(limits: LimitSet): string {
  let text = terms.get(limits);
  if (text === undefined) {
    text = JSON.stringify([limits.leaseMs, ...limits.groups.map(({ unit }) => heldUnitNumber(unit))]);
    terms.set(limits, text);
  }
  return text;
}

/** 29 bits that identify a unit in a stored reservation: a partition has few units, and attackers cannot choose them. */
function heldUnitNumber(unit: string): number {
  return hash32(unit, 0x5bd1e995) >>> 3;
}

function groupNumbers(group: LimitGroup, now: number): number[] {
  const { id, unit, limits, memory } = group;
  const kind = stateKindOf(counting(group));
  const algorithm = algorithmNumbers[kind];
  const tag = (unitNumber(unit) * 2 ** 21 + kindNumber(id)) * 8 + algorithm;
  return [tag, algorithm, ...parameters(kind, limits, memory.windowMs, now)];
}

function parameters(kind: StateKind, limits: readonly Limit[], memoryMs: number, now: number): number[] {
  const first = limits[0] as Limit;
  const { quota, windowMs } = first;
  switch (kind) {
    case "sliding-window":
      return [memoryMs, ...limits.flatMap((limit) => [limit.quota, limit.windowMs])];
    case "coarse-log":
      return [windowMs, ...limits.flatMap((limit) => [limit.quota, limit.windowMs])];
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

/** The starts of the windows before, around and the two after `now`, and the end of the last one. */
function calendarEdges(limit: Limit, now: number): number[] {
  const here = windowAround(limit, now);
  const before = windowAround(limit, here.start - 1);
  const next = windowAround(limit, here.end);
  const last = windowAround(limit, next.end);
  return [before.start, here.start, here.end, next.end, last.end];
}

/** Common units. Their numbers cannot collide with those of other units. */
const usualUnits = ["requests", "tokens", "concurrent"];

/** 16 bits that show the script which states of a partition count the same unit. */
function unitNumber(unit: string): number {
  const usual = usualUnits.indexOf(unit);
  return usual < 0 ? 256 + (hash32(unit, 0x811c9dc5) % (2 ** 16 - 256)) : usual + 1;
}

const kinds = new Map<string, number>();

/** 21 bits that identify a stored state's group within its unit: there are few, and attackers cannot choose them. */
function kindNumber(id: string): number {
  let number = kinds.get(id);
  if (number === undefined) {
    number = hash32(id, 0x2f0b4a37) % 2 ** 21;
    if (kinds.size >= 10_000) kinds.clear();
    kinds.set(id, number);
  }
  return number;
}

/** FNV-1a, with the final mix of MurmurHash3. */
function hash32(text: string, seed: number): number {
  let hash = seed;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
