import { windowAround } from "../../core/algorithms/fixed-window.ts";
import { type StateKind, stateKindOf } from "../../core/algorithms/index.ts";
import { greatestCommonDivisor, type Limit } from "../../core/limit.ts";
import { counting, type LimitGroup, type LimitSet } from "../../core/limit-set.ts";

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
  /** What the memories of its groups were, in all. */
  readonly memoryMs: number;
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
 * A limit set that is one exact sliding window and nothing else, as the script takes it from a plain request that travels
 * alone: the tag, the widest window, ms, how many numbers the limits are, and these.
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

/** What the script has to know of a limit set where something is held, in JSON: the lease, ms, and the unit of each group. */
export function termsText(limits: LimitSet): string {
  let text = terms.get(limits);
  if (text === undefined) {
    text = JSON.stringify([limits.leaseMs, ...limits.groups.map(({ unit }) => heldUnitNumber(unit))]);
    terms.set(limits, text);
  }
  return text;
}

/** 29 bits by which a stored reservation knows a unit: few units meet in a partition, and nobody else chooses them. */
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

/** Where the windows before, around and the two after `now` begin, and where the last of them ends. */
function calendarEdges(limit: Limit, now: number): number[] {
  const here = windowAround(limit, now);
  const before = windowAround(limit, here.start - 1);
  const next = windowAround(limit, here.end);
  const last = windowAround(limit, next.end);
  return [before.start, here.start, here.end, next.end, last.end];
}

/** Units that most policies count, whose numbers no other unit's can meet. */
const usualUnits = ["requests", "tokens", "concurrent"];

/** 16 bits by which the script knows which states of a partition count one unit. */
function unitNumber(unit: string): number {
  const usual = usualUnits.indexOf(unit);
  return usual < 0 ? 256 + (hash32(unit, 0x811c9dc5) % (2 ** 16 - 256)) : usual + 1;
}

const kinds = new Map<string, number>();

/** 21 bits by which a stored state knows its group among those of its unit: few meet, and nobody else chooses them. */
function kindNumber(id: string): number {
  let number = kinds.get(id);
  if (number === undefined) {
    number = hash32(id, 0x2f0b4a37) % 2 ** 21;
    if (kinds.size >= 10_000) kinds.clear();
    kinds.set(id, number);
  }
  return number;
}

/** FNV-1a, finished as MurmurHash3 finishes. */
function hash32(text: string, seed: number): number {
  let hash = seed;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
