import type { Algorithm } from "../../core/algorithms/algorithm.ts";
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
  /** What the state is read by where it does not say so itself. */
  readonly limits: readonly Limit[];
  /** These change a key's hash, to distinguish the states of one key. */
  readonly high: number;
  readonly low: number;
  /** The first number of rows of this kind; -1 while there are none. */
  number: number;
  rows: number;
  /** The other kinds with rows that count the same unit in the same space, as they were at `Kinds.changes`. */
  mates: readonly Kind[];
  matesAsOf: number;
}

/** The limits of one group, and where their readings begin among those of the plan. */
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

/** The kinds by which others count the unit of a group in the same space. */
export interface Company {
  /** Those with rows that the plan does not name. Told to the first group of each unit alone, which charges them too. */
  extras: readonly Kind[];
  /** The value of `Kinds.changes` at that time. */
  asOf: number;
  readonly named: readonly string[];
  /** How many groups of the plan count the unit. */
  readonly unitGroups: number;
  readonly isFirst: boolean;
}

const nobody: readonly Kind[] = [];

/** One set of limits in one space. */
export interface Plan {
  readonly space: string;
  readonly limits: LimitSet;
  readonly groups: readonly PlannedGroup[];
  /** Where all its limits are sliding windows over requests, which read one log: that of the rings that it may be. */
  readonly shape: Shape | undefined;
}

/** Plans are looked for by the place of the charge first, up to this one. */
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
  /** Whether any unit of any space is counted by several kinds: mostly none is, and a decision need not look for mates. */
  hasMates = false;

  constructor(rings: Rings) {
    this.#rings = rings;
  }

  get(number: number): Kind {
    return this.#numbered[number] as Kind;
  }

  /** @param place of the charge in its batch: the next batch is likely to have the same plan there. */
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

  /** The one kind of this name that has rows, which another plan may have brought; this one, if there is none. */
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

  /** The other kinds with rows that count the same unit in the same space: mostly there are none. */
  matesOf(kind: Kind): readonly Kind[] {
    if (kind.matesAsOf === this.changes) return kind.mates;
    kind.matesAsOf = this.changes;
    const { name, space, unit } = kind;
    kind.mates = sharesUnit(kind)
      ? this.inSpace(space).filter((other) => other.name !== name && other.unit === unit && sharesUnit(other))
      : nobody;
    return kind.mates;
  }

  /** The mates that a charge to this group has to be written to as well. */
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
  return { space, limits, groups, shape: shapeOf(limits, groups, rings) };
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
