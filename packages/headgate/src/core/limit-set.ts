import type { Algorithm } from "./algorithms/algorithm.ts";
import { algorithmOf, sharesState } from "./algorithms/index.ts";
import { beginFrom, type OtherState } from "./conversion.ts";
import { type Amounts, readAmounts } from "./cost.ts";
import { HeadgateError } from "./errors.ts";
import { parseLimits } from "./grammar.ts";
import { type LayerMemory, memoryOf, remember, type UnitMemory } from "./layer-memory.ts";
import {
  defineLimit,
  formatLimit,
  type Limit,
  type LimitOptions,
  largestQuota,
  limitOptions,
  longestWindowMs,
  usualLeaseMs,
  windowInWords,
  wordFor,
} from "./limit.ts";
import { checkOptions } from "./options.ts";
import { show } from "./show.ts";
import { stateIdentity } from "./state-identity.ts";
import { isThenable } from "./thenable.ts";

/**
 * Limits in a policy: text in the grammar of `parseLimits`, objects, or a list of either. `blocked` and `unlimited`
 * must be the only limit.
 */
export type LimitsInput = string | LimitOptions | readonly (string | LimitOptions)[];

/**
 * Limits that read one state. All exact sliding windows over one unit form a group, coarse logs form one group for each
 * window, and every other limit is a group by itself. The contents of the state are private: `decideStates` and similar
 * functions apply the groups.
 */
export interface LimitGroup {
  /** Identifies the state within its partition: by unit, algorithm and kind of window, not by quota. */
  readonly id: string;
  readonly unit: string;
  readonly limits: readonly Limit[];
  /** How far back the layer remembers the unit: it grows when wider limits are seen. */
  readonly memory: Readonly<UnitMemory>;
}

/**
 * A group with the code that reads and writes its state. Public types do not mention it, because the layout of a state
 * may change.
 */
export interface CountingGroup extends LimitGroup {
  readonly algorithm: Algorithm;
  /**
   * Returns the first state of this group in a partition where other groups already counted its unit. It includes what
   * they counted. `undefined` if they have no count that still applies.
   */
  begin(others: readonly OtherState[], now: number): Float64Array | undefined;
}

/** All groups come from `compileLimits`, which makes counting groups. */
export function counting(group: LimitGroup): CountingGroup {
  return group as CountingGroup;
}

/** The owner of the limits. */
export interface LimitsOwner {
  readonly layer: string;
  readonly plan?: string | undefined;
}

/** The limits of one layer or plan, checked and grouped, in the order in which they were written. */
export interface LimitSet {
  /** The plan that the limits belong to, if the layer has plans. */
  readonly plan: string | undefined;
  /**
   * Set if the limits are `blocked` or `unlimited`. `limits` then has quotas that no caller reaches, over everything
   * that the layer remembers. They only count, in case the caller moves to another plan of the layer, and are never
   * shown.
   */
  readonly word: "blocked" | "unlimited" | undefined;
  readonly limits: readonly Limit[];
  /**
   * The name of each limit on the wire, in the same order: `user-per-minute`, or `hidden` for a limit that is never
   * shown.
   */
  readonly names: readonly string[];
  readonly groups: readonly LimitGroup[];
  /** For each group, its limits. */
  readonly limitsOfGroup: readonly (readonly Limit[])[];
  /** For each limit, the index of its group. */
  readonly groupOf: readonly number[];
  /** Whether a reservation may hold units of any of the limits. Requests are never held: they are spent immediately. */
  readonly holdable: boolean;
  /** How long a hold lives without a heartbeat, ms: the shortest lease of all limits. */
  readonly leaseMs: number;
  /** The amounts of a request without a stated cost. */
  readonly usualAmounts: Amounts;
  /** Limits that can never bind or that make decisions slow, in words. */
  readonly warnings: readonly string[];
}

/**
 * @param owner the layer, and the plan if the limits belong to a plan.
 * @param memory the layer's memory, if it has other limits too, such as those of other plans.
 * @throws HeadgateError `limit-unreadable`, `limit-invalid`, or `policy-invalid` if two limits are the same or share a
 *   name.
 */
export function compileLimits(
  owner: string | LimitsOwner,
  input: LimitsInput | readonly Limit[],
  memory: LayerMemory = new Map(),
): LimitSet {
  const { layer, plan } = typeof owner === "string" ? { layer: owner } : owner;
  const subject = plan === undefined ? `Layer "${layer}"` : `Plan ${show(plan)} of layer "${layer}"`;
  const read = readLimits(subject, input);
  const word = read[0] === undefined ? undefined : wordFor(read[0]);
  const limits = word === undefined ? read : countingLimits(memory);
  checkPlaces(subject, limits);
  remember(memory, limits);
  const names = nameLimits(subject, layer, limits);
  const groups: (CountingGroup & { readonly limits: Limit[] })[] = [];
  const groupOf = limits.map((limit) => {
    const shared = sharesState.has(limit.algorithm);
    let id = stateIdentity(limit);
    // Two limits with the same window and different quotas: only the smaller can refuse, but each has its own state.
    for (let n = 2; !shared && groups.some((group) => group.id === id); n += 1)
      id = `${stateIdentity(limit)} #${n}`;
    let index = groups.findIndex((group) => group.id === id);
    if (index < 0) {
      index = groups.length;
      groups.push(openGroup(id, limit, memory));
    }
    groups[index]?.limits.push(limit);
    return index;
  });
  const limitsOfGroup = groups.map((group) => group.limits);
  return {
    plan,
    word,
    limits,
    names,
    groups,
    limitsOfGroup,
    groupOf,
    holdable: limits.some(({ unit }) => unit !== "requests"),
    leaseMs: shortestLeaseMs(limits),
    usualAmounts: readAmounts({ groups }, {}),
    warnings:
      word === undefined ? [...findIdleLimits(subject, limits), ...findSlowLimits(subject, limits)] : [],
  };
}

/** Returns limits that count everything that the layer remembers and refuse nobody. */
function countingLimits(memory: LayerMemory): Limit[] {
  return windowed(memory).map(([unit, { windowMs }]) =>
    defineLimit({
      quota: largestQuota,
      windowMs: Math.min(windowMs, longestWindowMs),
      unit,
      algorithm: "sliding-window",
    }),
  );
}

/** Returns the units with a window. Units of `concurrent` limits have none: once they are free, they are forgotten. */
function windowed(memory: LayerMemory): [string, UnitMemory][] {
  return [...memory].filter(([, { windowMs }]) => windowMs > 0);
}

/** Whether the limits behind `unlimited` or `blocked` still cover everything that the layer remembers. */
export function countsAll({ limits }: LimitSet, memory: LayerMemory): boolean {
  return (
    limits.length === windowed(memory).length &&
    limits.every(
      ({ unit, windowMs }) => windowMs >= Math.min(longestWindowMs, memory.get(unit)?.windowMs ?? 0),
    )
  );
}

function openGroup(
  id: string,
  limit: Limit,
  memory: LayerMemory,
): CountingGroup & { readonly limits: Limit[] } {
  const { unit } = limit;
  const limits: Limit[] = [];
  const algorithm = algorithmOf(limit);
  const ofUnit = memoryOf(memory, unit);
  return {
    id,
    unit,
    algorithm,
    limits,
    memory: ofUnit,
    begin: (others, now) => beginFrom(others, algorithm, limits, ofUnit.windowMs, now),
  };
}

function shortestLeaseMs(limits: readonly Limit[]): number {
  const leases = limits.filter(({ algorithm }) => algorithm === "concurrent");
  return leases.length === 0 ? usualLeaseMs : Math.min(...leases.map(({ windowMs }) => windowMs));
}

/** @param subject the owner of the limits, for messages. */
export function readLimits(subject: string, input: LimitsInput | readonly Limit[]): Limit[] {
  const items: readonly unknown[] = Array.isArray(input) ? input : [input];
  const limits = items.flatMap((item) =>
    typeof item === "string" ? parseLimits(item) : [readObject(subject, item)],
  );
  if (limits.length === 0) fail(subject, 'has no limits: give it at least one, such as "5/minute"');
  const seen = new Set<string>();
  for (const limit of limits) {
    const text = formatLimit(limit);
    if (seen.has(text)) fail(subject, `has the limit ${text} twice`);
    if (wordFor(limit) !== undefined && limits.length > 1)
      fail(subject, `has "${text}" and other limits: "${text}" must be the only limit`);
    seen.add(text);
  }
  return limits;
}

function readObject(subject: string, item: unknown): Limit {
  const isEmpty = typeof item !== "object" || item === null || Object.keys(item).length === 0;
  if (isEmpty || isThenable(item)) {
    fail(subject, `needs limits, such as "5/minute; 60/hour", got ${show(item)}`);
  }
  const of = `A limit of ${subject.replace(/^(Layer|Plan)/, (word) => word.toLowerCase())}`;
  checkOptions(of, item, limitOptions, "limit-invalid");
  return defineLimit(item as LimitOptions);
}

/** Units of `concurrent` limits are held and given back. Units over a window are spent. A unit cannot be both. */
function checkPlaces(subject: string, limits: readonly Limit[]): void {
  const places = new Set(limits.filter(isPlace).map(({ unit }) => unit));
  const both = limits.find((limit) => !isPlace(limit) && places.has(limit.unit));
  if (both === undefined) return;
  fail(
    subject,
    `counts ${both.unit} by concurrent and by ${both.algorithm}: use a separate unit for one of them`,
  );
}

function isPlace({ algorithm }: Limit): boolean {
  return algorithm === "concurrent";
}

/**
 * Names limits `user-per-minute`, with the unit if it is not requests, and with the algorithm if two names would be the
 * same.
 */
function nameLimits(subject: string, layer: string, limits: readonly Limit[]): string[] {
  const plain = limits.map((limit) => limit.name ?? plainName(layer, limit));
  const names = plain.map((name, index) => {
    const limit = limits[index] as Limit;
    const taken = plain.some((other, at) => other === name && at !== index);
    return taken && limit.name === undefined ? `${name}-${limit.algorithm}` : name;
  });
  names.forEach((name, index) => {
    const first = names.indexOf(name);
    if (first === index) return;
    const texts = [first, index].map((at) => formatLimit(limits[at] as Limit)).join(" and ");
    fail(subject, `has two limits named "${plain[index]}", ${texts}: keep the stricter, or name one of them`);
  });
  return names;
}

function plainName(layer: string, limit: Limit): string {
  if (limit.algorithm === "concurrent") return `${layer}-${limit.unit}`;
  const unit = limit.unit === "requests" ? "" : `${limit.unit}-`;
  return `${layer}-${unit}per-${windowInWords(limit).replace(" ", "-")}`;
}

function findIdleLimits(subject: string, limits: readonly Limit[]): string[] {
  return limits.flatMap((limit) => {
    const tighter = limits.find(
      (other) =>
        other !== limit &&
        other.unit === limit.unit &&
        other.algorithm === "sliding-window" &&
        limit.algorithm === "sliding-window" &&
        other.quota <= limit.quota &&
        other.windowMs >= limit.windowMs,
    );
    if (tighter === undefined) return [];
    return [
      `${subject}: ${formatLimit(limit)} can never bind, because ${formatLimit(tighter)} is reached first. ` +
        "Remove it, or raise the other.",
    ];
  });
}

function findSlowLimits(subject: string, limits: readonly Limit[]): string[] {
  return limits
    .filter(({ exact }) => exact)
    .map(
      (limit) =>
        `${subject}: ${formatLimit(limit)} keeps a timestamp for each unit, up to ${limit.quota} for each caller, ` +
        'and shared stores read and write all of them with each decision. Without "exact" it keeps at most 241, and ' +
        "admits at most 0.5% less.",
    );
}

function fail(subject: string, what: string): never {
  throw new HeadgateError("policy-invalid", `${subject} ${what}.`);
}
