import type { Algorithm } from "../../core/algorithms/algorithm.ts";
import { coarseLog } from "../../core/algorithms/coarse-log.ts";
import { slidingWindow } from "../../core/algorithms/sliding-window.ts";
import type { Limit } from "../../core/limit.ts";
import { type CountingGroup, counting, type LimitSet } from "../../core/limit-set.ts";
import { hashKey, type KeyHash, spread } from "./key-hash.ts";
import { readingLength } from "./outcome.ts";
import type { Rings, Shape } from "./rings.ts";

/** One kind of state in one space: for example the sliding log of requests of layer `user`. */
export interface Kind {
  readonly name: string;
  readonly space: string;
  readonly unit: string;
  readonly algorithm: Algorithm;
  /** The parameter for reading the state, if the state does not contain it. */
  readonly limits: readonly Limit[];
  /** These change a key's hash, to distinguish the states of one key. */
  readonly high: number;
  readonly low: number;
  /** The first number of this kind's rows; -1 if there are none. */
  number: number;
  rows: number;
  /** The other kinds with rows that count the same unit in the same space, at the time of `Kinds.changes`. */
  mates: readonly Kind[];
  matesAsOf: number;
}

/** The limits of one group, and the index of their first reading in the plan. */
export interface PlannedGroup {
  kind: Kind;
  readonly limits: readonly Limit[];
  readonly places: readonly number[];
  readonly memory: CountingGroup["memory"];
  readonly company: Company;
  readonly begin: CountingGroup["begin"];
  readonly quotas: readonly number[];
  readonly windows: readonly number[];
}

/** The kinds with which other limits count the group's unit in the same space. */
export interface Company {
  /** Those with rows that the plan does not name. Only the first group of each unit has them, and charges them too. */
  extras: readonly Kind[];
  /** The value of `Kinds.changes` at that time. */
  asOf: number;
  readonly named: readonly string[];
  /** The number of groups in the plan that count the unit. */
  readonly unitGroups: number;
  readonly isFirst: boolean;
}

const nobody: readonly Kind[] = [];

/** One set of limits in one space. */
export interface Plan {
  readonly space: string;
  readonly limits: LimitSet;
  readonly groups: readonly PlannedGroup[];
  /**
   * Set if all limits are sliding windows over requests that read one log: the shape of rings that can represent it.
   */
  readonly shape: Shape | undefined;
  /** Whether there is only one limit, which is over requests and has a coarse log. */
  readonly isCoarse: boolean;
}

/** Up to this index of a charge, plans are first looked up by the index. */
const mostRecent = 16;

/** The kinds that have rows, by number and by name. Other kinds exist only in plans, and are forgotten with them. */
export class Kinds {
  readonly #numbered: (Kind | undefined)[] = [];
  readonly #named = new Map<string, Kind>();
  readonly #plans = new WeakMap<LimitSet, Map<string, Plan>>();
  readonly #recent: (Plan | undefined)[] = [];
  readonly #rings: Rings;

  /** Grows whenever a kind gets its first row or loses its last. */
  changes = 0;
  /** Whether several kinds count the same unit of a space. Usually none do, and a decision need not look for mates. */
  hasMates = false;

  constructor(rings: Rings) {
    this.#rings = rings;
  }

  get(number: number): Kind {
    return this.#numbered[number] as Kind;
  }

  /** @param place the index of the charge in its batch: the next batch is likely to have the same plan there. */
  planOf(space: string, limits: LimitSet, place: number): Plan {
    const recent = this.#recent[place];
    if (recent !== undefined && recent.limits === limits && recent.space === space) return recent;
    let plans = this.#plans.get(limits);
    if (plans === undefined) {
      plans = new Map();
      this.#plans.set(limits, plans);
    }
    let plan = plans.get(space);
    if (plan === undefined) {
      plan = createPlan(space, limits, this.#rings);
      plans.set(space, plan);
    }
    if (place < mostRecent) this.#recent[place] = plan;
    return plan;
  }

  /** The kind of this name that has rows, possibly from another plan; this one, if there is none. */
  live(kind: Kind): Kind {
    return kind.rows > 0 ? kind : (this.#named.get(kind.name) ?? kind);
  }

  /** @param kind one that is `live`. */
  addRow(kind: Kind): void {
    if (kind.rows === 0) {
      const unused = this.#numbered.indexOf(undefined);
      kind.number = unused < 0 ? this.#numbered.length : unused;
      this.#numbered[kind.number] = kind;
      this.#named.set(kind.name, kind);
      this.#noteChange();
    }
    kind.rows += 1;
  }

  removeRow(kind: Kind): void {
    kind.rows -= 1;
    if (kind.rows > 0) return;
    this.#named.delete(kind.name);
    this.#noteChange();
    this.#numbered[kind.number] = undefined;
    kind.number = -1;
  }

  /** The other kinds with rows that count the same unit in the same space; usually there are none. */
  matesOf(kind: Kind): readonly Kind[] {
    if (kind.matesAsOf === this.changes) return kind.mates;
    kind.matesAsOf = this.changes;
    const { name, space, unit } = kind;
    kind.mates = sharesUnit(kind)
      ? this.inSpace(space).filter((other) => other.name !== name && other.unit === unit && sharesUnit(other))
      : nobody;
    return kind.mates;
  }

  /** The mates that a charge to this group must also be written to. */
  extrasOf({ kind, company }: PlannedGroup): readonly Kind[] {
    if (company.asOf === this.changes) return company.extras;
    company.asOf = this.changes;
    company.extras = company.isFirst
      ? this.matesOf(kind).filter(({ name }) => !company.named.includes(name))
      : nobody;
    return company.extras;
  }

  #noteChange(): void {
    this.changes += 1;
    const units = new Set<string>();
    let counted = 0;
    for (const kind of this.#named.values()) {
      if (!sharesUnit(kind)) continue;
      counted += 1;
      units.add(`${kind.space}\u0000${kind.unit}`);
    }
    this.hasMates = units.size < counted;
  }

  /** The kinds of a space that have rows. */
  inSpace(space: string): Kind[] {
    return [...this.#named.values()].filter((kind) => kind.space === space);
  }
}

function createPlan(space: string, limits: LimitSet, rings: Rings): Plan {
  const counted = limits.groups.map(counting);
  const kinds = counted.map((group) => createKind(space, group));
  const groups = counted.map((group, g) => ({
    kind: kinds[g] as Kind,
    limits: group.limits,
    memory: group.memory,
    begin: group.begin,
    quotas: group.limits.map(({ quota }) => quota),
    windows: group.limits.map(({ windowMs }) => windowMs),
    places: limits.groupOf.flatMap((of, place) => (of === g ? [place * readingLength] : [])),
    company: {
      extras: nobody,
      asOf: -1,
      named: kinds.map(({ name }) => name),
      unitGroups: counted.filter((other) => other.unit === group.unit && sharesUnit(other)).length,
      isFirst: counted.findIndex((other) => other.unit === group.unit && sharesUnit(other)) === g,
    },
  }));
  const [only] = groups;
  const isCoarse = limits.limits.length === 1 && !limits.holdable && only?.kind.algorithm === coarseLog;
  return { space, limits, groups, shape: shapeOf(limits, groups, rings), isCoarse };
}

function shapeOf(
  limits: LimitSet,
  [only, ...others]: readonly PlannedGroup[],
  rings: Rings,
): Shape | undefined {
  if (only === undefined || others.length > 0 || limits.holdable) return undefined;
  if (only.kind.algorithm !== slidingWindow) return undefined;
  return rings.shapeOf(only.kind.name, only.windows);
}

function sharesUnit({ algorithm }: Pick<CountingGroup, "algorithm">): boolean {
  return algorithm.spentAfter !== undefined;
}

function createKind(space: string, { id, unit, algorithm, limits }: CountingGroup): Kind {
  const name = `${space}\u0000${id}`;
  const hash: KeyHash = { high: 0, low: 0 };
  hashKey(name, hash);
  // Spread the bits, so that a caller's key cannot have the same effect as the name of a kind.
  const high = spread(hash.high, hash.low);
  const low = spread(hash.low, hash.high);
  return {
    name,
    space,
    unit,
    algorithm,
    limits,
    high,
    low,
    number: -1,
    rows: 0,
    mates: nobody,
    matesAsOf: -1,
  };
}
