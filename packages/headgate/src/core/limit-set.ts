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
  usualLeaseMs,
  windowInWords,
} from "./limit.ts";
import { stateIdentity } from "./state-identity.ts";

/** Limits as a policy takes them: text of the grammar, objects, or a list of either. */
export type LimitsInput = string | LimitOptions | readonly (string | LimitOptions)[];

/**
 * Limits that read one state: all sliding windows over one unit together, those with coarse logs by window, every other
 * limit by itself.
 */
export interface LimitGroup {
  /** Tells the state apart from others of the same partition: by unit, algorithm and kind of window, not by quota. */
  readonly id: string;
  readonly unit: string;
  readonly algorithm: Algorithm;
  readonly limits: readonly Limit[];
  /** How far back the layer remembers the unit: it grows when wider limits are seen. */
  readonly memory: Readonly<UnitMemory>;
  /**
   * The state to begin with where this group has none in a partition and others of its unit have: what they know was
   * spent. `undefined` where nothing that counts is known.
   */
  begin(others: readonly OtherState[], now: number): Float64Array<ArrayBuffer> | undefined;
}

/** The limits of one layer, checked and grouped, in the order in which they were written. */
export interface LimitSet {
  readonly limits: readonly Limit[];
  /** How each limit is named on the wire, in the same order: `user-per-minute`. */
  readonly names: readonly string[];
  readonly groups: readonly LimitGroup[];
  /** For each group, the limits in it. */
  readonly limitsOfGroup: readonly (readonly Limit[])[];
  /** For each limit, the index of its group. */
  readonly groupOf: readonly number[];
  /** Whether a reservation may hold units of any limit: requests are always spent at once. */
  readonly holdable: boolean;
  /** How long what is held lives without a heartbeat, ms: the shortest that a limit names. */
  readonly leaseMs: number;
  /** What a request costs whose cost is not said. */
  readonly usualAmounts: Amounts;
  /** Limits that can never bind or that make decisions slow, in words. */
  readonly warnings: readonly string[];
}

/**
 * @param memory of the layer, where it has other limits too, such as those of other plans.
 * @throws HeadgateError `limit-unreadable`, `limit-invalid`, or `policy-invalid` where two limits are the same or
 *   share a name.
 */
export function compileLimits(layer: string, input: LimitsInput, memory: LayerMemory = new Map()): LimitSet {
  const limits = readLimits(layer, input);
  checkPlaces(layer, limits);
  remember(memory, limits);
  const names = nameLimits(layer, limits);
  const groups: (LimitGroup & { readonly limits: Limit[] })[] = [];
  const groupOf = limits.map((limit) => {
    const shared = sharesState.has(limit.algorithm);
    let id = stateIdentity(limit);
    // The same window with another quota: the smaller one binds, but each has a state.
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
    limits,
    names,
    groups,
    limitsOfGroup,
    groupOf,
    holdable: limits.some(({ unit }) => unit !== "requests"),
    leaseMs: shortestLeaseMs(limits),
    usualAmounts: readAmounts({ groups }, {}),
    warnings: [...findIdleLimits(layer, limits), ...findSlowLimits(layer, limits)],
  };
}

function openGroup(id: string, limit: Limit, memory: LayerMemory): LimitGroup & { readonly limits: Limit[] } {
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

function readLimits(layer: string, input: LimitsInput): Limit[] {
  const items = Array.isArray(input) ? (input as readonly (string | LimitOptions)[]) : [input as string];
  const limits = items.flatMap((item) =>
    typeof item === "string" ? parseLimits(item) : [readObject(layer, item)],
  );
  if (limits.length === 0) fail(layer, 'has no limits: give it at least one, such as "5/minute"');
  const seen = new Set<string>();
  for (const limit of limits) {
    const text = formatLimit(limit);
    if (seen.has(text)) fail(layer, `has the limit ${text} twice`);
    seen.add(text);
  }
  return limits;
}

function readObject(layer: string, item: unknown): Limit {
  if (typeof item !== "object" || item === null) {
    fail(
      layer,
      `has limits of type ${item === null ? "null" : typeof item}: give text such as "5/minute; 60/hour"`,
    );
  }
  return defineLimit(item as LimitOptions);
}

/** Places are held and given back; what is counted over a window is spent. One unit cannot be both. */
function checkPlaces(layer: string, limits: readonly Limit[]): void {
  const places = new Set(limits.filter(isPlace).map(({ unit }) => unit));
  const both = limits.find((limit) => !isPlace(limit) && places.has(limit.unit));
  if (both === undefined) return;
  fail(
    layer,
    `counts ${both.unit} by concurrent and by ${both.algorithm}: give the places a unit of their own`,
  );
}

function isPlace({ algorithm }: Limit): boolean {
  return algorithm === "concurrent";
}

/** `user-per-minute`; with the unit where it is not requests, and the algorithm where that alone tells two apart. */
function nameLimits(layer: string, limits: readonly Limit[]): string[] {
  const plain = limits.map((limit) => limit.name ?? plainName(layer, limit));
  const names = plain.map((name, index) => {
    const limit = limits[index] as Limit;
    const taken = plain.some((other, at) => other === name && at !== index);
    return taken && limit.name === undefined ? `${name}-${limit.algorithm}` : name;
  });
  names.forEach((name, index) => {
    if (names.indexOf(name) !== index)
      fail(layer, `has two limits named "${name}": give one of them another name`);
  });
  return names;
}

function plainName(layer: string, limit: Limit): string {
  if (limit.algorithm === "concurrent") return `${layer}-${limit.unit}`;
  const unit = limit.unit === "requests" ? "" : `${limit.unit}-`;
  return `${layer}-${unit}per-${windowInWords(limit).replace(" ", "-")}`;
}

function findIdleLimits(layer: string, limits: readonly Limit[]): string[] {
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
      `Layer "${layer}": ${formatLimit(limit)} can never bind, because ${formatLimit(tighter)} is reached first. ` +
        "Remove it, or raise the other.",
    ];
  });
}

function findSlowLimits(layer: string, limits: readonly Limit[]): string[] {
  return limits
    .filter(({ exact }) => exact)
    .map(
      (limit) =>
        `Layer "${layer}": ${formatLimit(limit)} keeps a stamp for each unit, up to ${limit.quota} for each caller, ` +
        'and shared stores read and write all of them with each decision. Without "exact" it keeps at most 241, and ' +
        "admits at most 0.5% less.",
    );
}

function fail(layer: string, what: string): never {
  throw new HeadgateError("policy-invalid", `Layer "${layer}" ${what}.`);
}
