import type { Cost } from "headgate";
import { differencesOf, isComparable } from "./differences.ts";
import { checkNames, checkNumber, fail, isObject } from "./options.ts";
import type { DecisionLogContent } from "./read-log.ts";
import type { Replayed, ReplayOutcome } from "./replay.ts";
import type { Traffic } from "./traffic.ts";
import { count, counted as countedIn } from "./words.ts";

/** What a unit costs, in one currency. */
export interface Prices {
  /** An ISO 4217 code, such as `GBP`. */
  readonly currency: string;
  /** The price of one unit, by unit. */
  readonly perUnit: Readonly<Record<string, number>>;
}

export interface SummaryOptions {
  /**
   * Counts only decisions from this time on, in ms. Earlier decisions are still replayed, so that their use is known.
   */
  readonly from?: number | undefined;
  /** Counts only decisions until this time, in ms. */
  readonly to?: number | undefined;
  readonly prices?: Prices | undefined;
  /** How many callers to list. */
  readonly top?: number | undefined;
}

/** Decisions with the same result. */
export interface Group {
  readonly decisions: number;
  readonly callers: number;
  /** What they used, by unit. */
  readonly units: Readonly<Record<string, number>>;
  /** What they cost, in the currency; absent without prices. */
  readonly money?: number;
}

/** A caller, by the pseudonym in the first layer that applies. */
export interface CallerSummary {
  readonly layer: string;
  readonly partition: string;
  readonly decisions: number;
  readonly newlyRefused: number;
  readonly newlyAdmitted: number;
}

/** The decisions of one period. */
export interface Stretch {
  readonly at: number;
  /** The decisions of the log. */
  readonly admitted: number;
  readonly refused: number;
  readonly newlyRefused: number;
  readonly newlyAdmitted: number;
}

/** What another policy would have done to the traffic of a log. */
export interface Summary {
  readonly limiter: string;
  readonly policy: "as logged" | "another";
  readonly from: number;
  readonly to: number;
  readonly processes: number;
  readonly decisions: number;
  readonly callers: number;
  /** The decisions of the log. */
  readonly logged: { readonly admitted: Group; readonly refused: Group };
  /** The decisions of the replay. */
  readonly replayed: { readonly admitted: Group; readonly refused: Group };
  /** Admitted in the log, refused in the replay: `units` and `money` would not have been used. */
  readonly newlyRefused: Group;
  /** Refused in the log, admitted in the replay: `units` and `money` are assumptions. */
  readonly newlyAdmitted: Group;
  /** Admitted in both, but cut short in the replay, which refused an extension. */
  readonly cutShort: Group;
  /** Refusals of the replay by limit. */
  readonly byLimit: readonly {
    readonly limit: string;
    readonly refused: number;
    readonly newlyRefused: number;
  }[];
  /** The waits of the replay's refusals, in ms. `hopeless` counts the refusals for which no wait helps. */
  readonly waits: { readonly median: number; readonly most: number; readonly hopeless: number };
  readonly callersMost: readonly CallerSummary[];
  readonly overTime: readonly Stretch[];
  readonly stretchMs: number;
  readonly currency?: string;
  /** For a replay under the same policy: the number of decisions that differ. */
  readonly differences?: number;
  /** Sentences about assumptions and missing data. */
  readonly caveats: readonly string[];
}

const stretches = 48;
const usualTop = 10;
const mostTop = 10_000;
/** The latest moment that a `Date` can hold. */
const latestMs = 8_640_000_000_000_000;

export function summarize(
  traffic: Traffic,
  content: Pick<DecisionLogContent, "lost" | "unreadable" | "passedOver">,
  outcome: ReplayOutcome,
  isAnother: boolean,
  options: SummaryOptions = {},
): Summary {
  checkSummary(options);
  const { from, to, prices, top = usualTop } = options;
  const counted = outcome.decisions.filter(
    ({ line }) => line.at >= (from ?? 0) && line.at < (to ?? Number.POSITIVE_INFINITY),
  );
  const times = counted.map(({ line }) => line.at);
  const begin = least(times);
  const end = most(times);
  const group = (some: readonly Replayed[], usedOf: (one: Replayed) => Cost = ({ used }) => used): Group =>
    groupOf(some, usedOf, prices);
  const was = (one: Replayed) => one.line.admitted;
  const nothing = (): Cost => ({});
  const usedInLog = (one: Replayed): Cost => outcome.usedInLog(one.line);
  const newlyRefused = counted.filter((one) => was(one) && !one.admitted);
  const newlyAdmitted = counted.filter((one) => !was(one) && one.admitted);
  const cut = counted.filter((one) => was(one) && one.admitted && one.cut);
  const stretchMs = Math.max(1000, Math.ceil((end - begin + 1) / stretches));
  return {
    limiter: traffic.limiter,
    policy: isAnother ? "another" : "as logged",
    from: begin,
    to: end,
    processes: traffic.processes,
    decisions: counted.length,
    callers: callersOf(counted),
    logged: {
      admitted: group(counted.filter(was), usedInLog),
      refused: group(
        counted.filter((one) => !was(one)),
        nothing,
      ),
    },
    replayed: {
      admitted: group(counted.filter(({ admitted }) => admitted)),
      refused: group(
        counted.filter(({ admitted }) => !admitted),
        nothing,
      ),
    },
    newlyRefused: group(newlyRefused, usedInLog),
    newlyAdmitted: group(newlyAdmitted),
    cutShort: group(cut, (one) => lessOf(usedInLog(one), one.used)),
    byLimit: byLimitOf(counted),
    waits: waitsOf(counted),
    callersMost: callersMostOf(counted, top),
    overTime: overTimeOf(counted, begin, stretchMs),
    stretchMs,
    ...(prices === undefined ? {} : { currency: prices.currency }),
    ...(isAnother ? {} : { differences: differencesOf(counted).length + outcome.extensionsDiffering }),
    caveats: caveatsOf(
      traffic,
      content,
      outcome,
      counted,
      isAnother,
      newlyAdmitted.length,
      newlyRefused.length,
    ),
  };
}

function checkSummary(options: SummaryOptions): void {
  checkNames("summarize", options, { from: true, to: true, prices: true, top: true });
  const { from, to, prices, top } = options;
  checkNumber("from of summarize", from, 0, latestMs);
  checkNumber("to of summarize", to, 0, latestMs);
  checkNumber("top of summarize", top, 0, mostTop);
  if (prices === undefined) return;
  checkNames("prices of summarize", prices, { currency: true, perUnit: true });
  if (typeof prices.currency !== "string" || !isObject(prices.perUnit))
    fail(`prices of summarize must be such as { currency: "GBP", perUnit: { tokens: 0.000002 } }.`);
  for (const [unit, price] of Object.entries(prices.perUnit)) {
    if (price === undefined) fail(`The price of ${unit} is undefined: leave it out.`);
    checkNumber(`The price of ${unit}`, price, 0, Number.MAX_SAFE_INTEGER);
  }
}

function callerOf({ line }: Replayed): string {
  const [first] = line.partitions;
  return first === undefined ? "" : `${first.layer} ${first.partition}`;
}

function callersOf(some: readonly Replayed[]): number {
  return new Set(some.map(callerOf)).size;
}

function groupOf(
  some: readonly Replayed[],
  usedOf: (one: Replayed) => Cost,
  prices: Prices | undefined,
): Group {
  const units: Record<string, number> = {};
  for (const one of some)
    for (const [unit, amount] of Object.entries(usedOf(one))) units[unit] = (units[unit] ?? 0) + amount;
  const group = { decisions: some.length, callers: callersOf(some), units };
  return prices === undefined ? group : { ...group, money: moneyOf(units, prices) };
}

function moneyOf(units: Readonly<Record<string, number>>, { perUnit }: Prices): number {
  return Object.entries(units).reduce((sum, [unit, amount]) => sum + amount * (perUnit[unit] ?? 0), 0);
}

function lessOf(all: Cost, used: Cost): Cost {
  return Object.fromEntries(
    Object.entries(all).map(([unit, amount]) => [unit, Math.max(0, amount - (used[unit] ?? amount))]),
  );
}

function byLimitOf(counted: readonly Replayed[]): Summary["byLimit"] {
  const limits = new Map<string, { refused: number; newlyRefused: number }>();
  for (const { admitted, limit = "", line } of counted) {
    if (admitted) continue;
    const of = limits.get(limit) ?? { refused: 0, newlyRefused: 0 };
    of.refused += 1;
    if (line.admitted) of.newlyRefused += 1;
    limits.set(limit, of);
  }
  return [...limits].map(([limit, of]) => ({ limit, ...of })).sort((a, b) => b.refused - a.refused);
}

function waitsOf(counted: readonly Replayed[]): Summary["waits"] {
  const waits = counted.filter(({ admitted }) => !admitted).map(({ waitMs }) => waitMs);
  const finite = waits.filter(Number.isFinite).sort((a, b) => a - b);
  return {
    median: finite[Math.floor(finite.length / 2)] ?? 0,
    most: finite.at(-1) ?? 0,
    hopeless: waits.length - finite.length,
  };
}

function callersMostOf(counted: readonly Replayed[], top: number): CallerSummary[] {
  const callers = new Map<
    string,
    { layer: string; partition: string; decisions: number; newlyRefused: number; newlyAdmitted: number }
  >();
  for (const one of counted) {
    const [first] = one.line.partitions;
    if (first === undefined) continue;
    const of = callers.get(callerOf(one)) ?? {
      layer: first.layer,
      partition: first.partition,
      decisions: 0,
      newlyRefused: 0,
      newlyAdmitted: 0,
    };
    of.decisions += 1;
    if (one.line.admitted && !one.admitted) of.newlyRefused += 1;
    if (!one.line.admitted && one.admitted) of.newlyAdmitted += 1;
    callers.set(callerOf(one), of);
  }
  return [...callers.values()]
    .filter(({ newlyRefused, newlyAdmitted }) => newlyRefused + newlyAdmitted > 0)
    .sort((a, b) => b.newlyRefused - a.newlyRefused || b.newlyAdmitted - a.newlyAdmitted)
    .slice(0, top);
}

function overTimeOf(counted: readonly Replayed[], begin: number, stretchMs: number): Stretch[] {
  const found: {
    at: number;
    admitted: number;
    refused: number;
    newlyRefused: number;
    newlyAdmitted: number;
  }[] = [];
  for (const { line, admitted } of counted) {
    const place = Math.floor((line.at - begin) / stretchMs);
    while (found.length <= place)
      found.push({
        at: begin + found.length * stretchMs,
        admitted: 0,
        refused: 0,
        newlyRefused: 0,
        newlyAdmitted: 0,
      });
    const stretch = found[place] as (typeof found)[number];
    if (line.admitted) stretch.admitted += 1;
    else stretch.refused += 1;
    if (line.admitted && !admitted) stretch.newlyRefused += 1;
    if (!line.admitted && admitted) stretch.newlyAdmitted += 1;
  }
  return found;
}

function caveatsOf(
  traffic: Traffic,
  { lost, unreadable, passedOver = 0 }: Pick<DecisionLogContent, "lost" | "unreadable" | "passedOver">,
  { notes, model, extensionsDiffering }: ReplayOutcome,
  counted: readonly Replayed[],
  isAnother: boolean,
  newlyAdmitted: number,
  newlyRefused: number,
): string[] {
  const byPolicy = counted.filter((one) => !isComparable(one)).length;
  const ratios = Object.entries(model.usedOfEstimate).map(
    ([unit, ratio]) => `${Math.round(ratio * 100)}% of its estimate in ${unit}`,
  );
  const isPartial = lost > 0 || unreadable > 0;
  return [
    ...(newlyAdmitted > 0
      ? [
          `What the ${countedIn(newlyAdmitted, "newly admitted request", "newly admitted requests")} would have used is not known. Each is assumed to use ${ratios.length === 0 ? "what it asked for" : ratios.join(", ")}, as those in the log did, for ${seconds(model.heldMs)}.`,
        ]
      : []),
    ...(isAnother && newlyRefused > 0
      ? [
          "Whether newly refused callers would have retried, and when, is not known. Callers are assumed to send the same requests.",
        ]
      : []),
    "What was spent before the log begins is not known. Until the longest window has passed, the replay may admit too much.",
    ...(passedOver > 0
      ? [
          `The log is long: only the newest lines were replayed, and ${count(passedOver)} older lines were left out.`,
        ]
      : []),
    ...(isPartial
      ? [
          `${countedIn(lost, "line was", "lines were")} lost when the log was written, and ${count(unreadable)} cannot be read.`,
        ]
      : []),
    ...(byPolicy > 0
      ? [
          `${countedIn(byPolicy, "decision was", "decisions were")} made by the outage policies, without the store. They are replayed as if the store had answered, and are not compared.`,
        ]
      : []),
    ...(traffic.oneSegment
      ? []
      : [
          "Processes used different pseudonyms, so a caller of two processes counts as two. Give all processes the same secret.",
        ]),
    ...(traffic.ordered
      ? []
      : [
          "The store does not record the order of decisions within a millisecond, so the order of different processes is a guess.",
        ]),
    ...(!isAnother && extensionsDiffering > 0
      ? [`${countedIn(extensionsDiffering, "extension was", "extensions were")} answered differently.`]
      : []),
    ...[...notes].slice(0, 10).map(([what, times]) => `${what} (${countedIn(times, "time", "times")})`),
  ];
}

function seconds(ms: number): string {
  return `${Math.round(ms / 100) / 10} s`;
}

function least(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => Math.min(a, b), numbers[0] ?? 0);
}

function most(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => Math.max(a, b), numbers[0] ?? 0);
}
