import { beginClaim, type Claim, type ClaimRecord, withKnownRequests } from "../../core/claim.ts";
import { type Entry, type Holdings, noHoldings, refundsOf } from "../../core/holdings.ts";
import { type CountingGroup, counting, type LimitSet } from "../../core/limit-set.ts";
import { beginOverride, inForce, type Override, type OverrideTerms } from "../../core/override.ts";
import type { Adjustment, Charge, Hold, Outcome, Reading, Refund } from "../../core/store.ts";
import { coreTransitions, type Transitions } from "./transitions.ts";

export interface Place {
  readonly space: string;
  readonly key: string;
  readonly limits: LimitSet;
}

type Row = Float64Array<ArrayBuffer>;

/** The state of one partition: a row of numbers for each group of limits, the holdings, the override, and claims by id. */
interface Partition {
  readonly rows: Map<string, Row>;
  readonly holdings: Holdings;
  readonly claims: Map<string, ClaimRecord>;
  override: Override | undefined;
}

/** One change of a partition's used units. */
export interface UsedChange {
  readonly place: Place;
  readonly rid: string;
  readonly unit: string;
  /** The change of the used units; negative if units were given back. */
  readonly change: number;
}

export type Journal = (change: UsedChange) => void;

/** The simplest store on top of the transitions of `core`. It can be copied, and reports its charges. */
export class ModelStore {
  readonly #transitions: Transitions;
  readonly #partitions: Map<string, Partition>;

  constructor(transitions: Transitions = coreTransitions, partitions: Map<string, Partition> = new Map()) {
    this.#transitions = transitions;
    this.#partitions = partitions;
  }

  copy(): ModelStore {
    const partitions = new Map<string, Partition>();
    for (const [id, { rows, holdings, claims, override }] of this.#partitions) {
      const copied = new Map<string, Row>();
      for (const [group, row] of rows) copied.set(group, row.slice());
      partitions.set(id, {
        rows: copied,
        holdings: copyHoldings(holdings),
        claims: new Map(claims),
        override,
      });
    }
    return new ModelStore(this.#transitions, partitions);
  }

  decide(
    asked: readonly Charge[],
    now: number,
    peek: boolean,
    hold: Hold | undefined,
    journal: Journal = () => {},
    claim?: Claim,
  ): Outcome {
    if (claim === undefined || hold === undefined) return this.#decide(asked, now, peek, hold, journal);
    const { claims } = this.#open({ ...claim, limits: (asked[0] as Charge).limits }, now);
    const known = claims.get(claim.id);
    const met = this.#transitions.meetClaim(known, claim, hold.rid, now);
    if (typeof met !== "number") return { admitted: false, now, readings: [], marks: [], known: met };
    const isPaid = this.#transitions.isPaid(known, hold.rid, met, now);
    const charges = isPaid ? this.#transitions.withoutRequests(asked) : asked;
    const outcome = this.#decide(charges, now, peek, hold, journal);
    if (!outcome.admitted) return outcome;
    claims.set(claim.id, beginClaim(claim, hold.rid, met, now));
    return { ...outcome, attempt: met };
  }

  #decide(
    charges: readonly Charge[],
    now: number,
    peek: boolean,
    hold: Hold | undefined,
    journal: Journal,
  ): Outcome {
    const { standingOf, heldBy, refusedByOverrides } = this.#transitions;
    const partitions = charges.map((charge) => this.#open(charge, now));
    const standings = charges.map(({ holds }, c) => {
      const more = holds?.some((units) => units > 0) === true;
      return hold === undefined ? "open" : standingOf(partitions[c]?.holdings, hold, more);
    });
    const needs = charges.map((charge, c) =>
      charge.limits.groups.map(({ unit }, g) => {
        if (standings[c] === "applied") return 0;
        const total = charge.holds?.[g] ?? 0;
        if (hold === undefined || total === 0) return charge.needs[g] ?? 0;
        const held = heldBy(partitions[c]?.holdings, hold.rid, unit);
        return Math.max(0, (charge.spends[g] ?? 0) + total - held);
      }),
    );
    const before = charges.map((charge, c) => this.#read(charge, now, needs[c] ?? []));
    const isFree = before.flat().every(({ waitMs }) => waitMs === 0);
    const overrides = partitions.map(({ override }) => inForce(override, now));
    const obstacle = refusedByOverrides(overrides, charges, hold, (c) => standings[c] === "applied");
    const refusedFor = standings.includes("ended")
      ? "ended"
      : (obstacle ?? (standings.includes("crowded") ? "crowded" : undefined));
    const admitted = isFree && refusedFor === undefined;
    if (!admitted || peek)
      return {
        admitted,
        now,
        readings: before,
        marks: [],
        ...(refusedFor === undefined ? {} : { refusedFor }),
      };

    const marks = charges.map((charge, c) => {
      if (standings[c] !== "open") return charge.limits.groups.map(() => 0);
      const spent = charge.limits.groups.map((group, g) =>
        this.#charge(charge, counting(group), now, charge.spends[g] ?? 0),
      );
      if (hold === undefined) return spent;
      const portions = firstsOf(charge.limits).map((g) => ({
        unit: charge.limits.groups[g]?.unit ?? "",
        spend: charge.spends[g] ?? 0,
        hold: charge.holds?.[g] ?? 0,
        known: charge.known?.[g] ?? 0,
        marks: spent.filter(
          (_, other) => charge.limits.groups[other]?.unit === charge.limits.groups[g]?.unit,
        ),
      }));
      const { holdings } = partitions[c] as Partition;
      this.#transitions.hold(holdings, hold, portions, now, charge.limits.leaseMs);
      for (const { unit, spend } of portions) {
        if (spend > 0) journal({ place: charge, rid: hold.rid, unit, change: spend });
      }
      return spent;
    });
    return { admitted, now, readings: charges.map((charge) => this.#read(charge, now, [])), marks };
  }

  adjust(reported: readonly Adjustment[], now: number, journal: Journal = () => {}): Outcome {
    const counted = new Map<string, number>();
    for (const adjustment of reported) {
      const { claim, rid, raises } = adjustment;
      if (claim === undefined) continue;
      const { claims } = this.#open(adjustment, now);
      const known = claims.get(claim.id);
      if (this.#transitions.hasCounted(known, adjustment, now)) counted.set(rid, claim.requests);
      const changed = this.#transitions.changeClaim(known, claim, rid, raises, now);
      if (changed === undefined) claims.delete(claim.id);
      else claims.set(claim.id, changed);
    }
    const adjustments = withKnownRequests(reported, counted);
    const marks = adjustments.map((adjustment) => {
      const { limits, rid } = adjustment;
      const { holdings } = this.#open(adjustment, now);
      const units = limits.groups.map(({ unit }) => unit);
      const mine = units.map(() => 0);
      this.#transitions.adjustHoldings(
        holdings,
        adjustment,
        units,
        now,
        limits.leaseMs,
        (unit, change, last, at = now) => {
          const ofUnit: number[] = [];
          let given = 0;
          for (const [g, group] of limits.groups.entries()) {
            if (group.unit !== unit) continue;
            if (change > 0) mine[g] = this.#charge(adjustment, counting(group), at, change);
            else {
              const refunds = refundsOf(adjustment, g, -change, last, ofUnit.length);
              given = refunds.reduce((sum, { amount }) => sum + amount, 0);
              this.#giveBack(adjustment, counting(group), now, refunds);
            }
            ofUnit.push(mine[g] ?? 0);
          }
          journal({ place: adjustment, rid, unit, change: change > 0 ? change : -given });
          return ofUnit;
        },
      );
      return mine;
    });
    const readings = adjustments.map((adjustment) => this.#read(adjustment, now, []));
    return { admitted: true, now, readings, marks };
  }

  reset(places: readonly Place[]): void {
    for (const place of places) this.#partitions.get(idOf(place))?.rows.clear();
  }

  /** Sets the override of a partition; `undefined` ends it. */
  override(place: Place, terms: OverrideTerms | undefined, now: number): void {
    const partition = this.#open(place, now);
    partition.override = terms && beginOverride(terms, now);
    this.#transitions.override(partition.rows);
  }

  /** Gives a partition the state that it has in another store, which must not change any more. */
  restore(place: Place, from: ModelStore): void {
    const id = idOf(place);
    const kept = from.copy().#partitions.get(id);
    if (kept === undefined) this.#partitions.delete(id);
    else this.#partitions.set(id, kept);
  }

  /** The override in force in a partition. */
  overrideOf(place: Place, now: number): Override | undefined {
    return inForce(this.#partitions.get(idOf(place))?.override, now);
  }

  /** Returns the stored claim of an id. */
  claimOf(place: Place, id: string): ClaimRecord | undefined {
    return this.#partitions.get(idOf(place))?.claims.get(id);
  }

  /** Removes expired entries as early as allowed. */
  tidy(now: number): void {
    for (const { holdings } of this.#partitions.values()) {
      this.#transitions.lapse(holdings, now);
      this.#transitions.tidy(holdings, now);
    }
  }

  /** The holdings of a partition, after expired holds have lapsed. */
  holdingsOf(place: Place, now: number): Holdings {
    return this.#open(place, now).holdings;
  }

  /** The rows of a partition, by the id of the group. */
  rowsOf(place: Place): ReadonlyMap<string, Row> {
    return this.#partitions.get(idOf(place))?.rows ?? new Map();
  }

  #open(place: Place, now: number): Partition {
    const id = idOf(place);
    let partition = this.#partitions.get(id);
    if (partition === undefined) {
      partition = { rows: new Map(), holdings: noHoldings(), claims: new Map(), override: undefined };
      this.#partitions.set(id, partition);
    }
    this.#transitions.lapse(partition.holdings, now);
    return partition;
  }

  #rowOf(place: Place, { id, algorithm, limits }: CountingGroup): Row {
    const { rows } = this.#partitions.get(idOf(place)) as Partition;
    const row = rows.get(id) ?? new Float64Array(algorithm.length(blank, 0));
    rows.set(id, row);
    for (const { windowMs } of limits) algorithm.keepFor?.(row, 0, windowMs);
    return row;
  }

  #charge(place: Place, group: CountingGroup, now: number, amount: number): number {
    if (amount === 0) return 0;
    const { algorithm, limits, id } = group;
    const row = this.#rowOf(place, group);
    algorithm.tidy?.(row, 0, now);
    const roomy = new Float64Array(algorithm.length(row, 0) + algorithm.growth);
    roomy.set(row.subarray(0, roomy.length));
    (this.#partitions.get(idOf(place)) as Partition).rows.set(id, roomy);
    return algorithm.charge(roomy, 0, limits, now, amount);
  }

  #giveBack(place: Place, group: CountingGroup, now: number, refunds: readonly Refund[]): void {
    const row = this.#rowOf(place, group);
    for (const { amount, chargedAt, mark } of refunds)
      group.algorithm.refund(row, 0, group.limits, now, amount, chargedAt, mark);
  }

  #read(place: Place, now: number, needs: readonly number[]): Reading[] {
    const { heldOf, waitFor } = this.#transitions;
    const { limits, groups, groupOf } = place.limits;
    const { holdings } = this.#open(place, now);
    return limits.map((limit, l) => {
      const g = groupOf[l] as number;
      const group = counting(groups[g] as LimitSet["groups"][number]);
      const { algorithm, unit } = group;
      const row = this.#rowOf(place, group);
      const waitOf = (units: number) =>
        waitFor(holdings, unit, limit.quota, now, units, (all) => algorithm.waitMs(row, 0, limit, now, all));
      const into: number[] = [];
      algorithm.read(row, 0, limit, now, into, 0);
      const [free = 0, growsIn = 0] = into;
      const held = heldOf(holdings, unit);
      const remaining = Math.max(0, free - held);
      let resetMs = growsIn;
      if (held > 0) resetMs = remaining === limit.quota ? 0 : waitOf(remaining + 1).ms;
      const { ms: waitMs, holders } = waitOf(needs[g] ?? 0);
      return holders ? { remaining, resetMs, waitMs, holders } : { remaining, resetMs, waitMs };
    });
  }
}

const blank = new Float64Array(16);

/** Returns the first group of each unit. */
function firstsOf({ groups }: LimitSet): number[] {
  const units = groups.map(({ unit }) => unit);
  return units.flatMap((unit, g) => (units.indexOf(unit) === g ? [g] : []));
}

function idOf({ space, key }: Place): string {
  return `${space}\u0000${key}`;
}

function copyHoldings({ entries, held, holding, earliest, tidyAt, seenAt }: Holdings): Holdings {
  const copied = new Map<string, Entry>();
  for (const [rid, entry] of entries)
    copied.set(rid, {
      ...entry,
      used: new Map(entry.used),
      held: new Map(entry.held),
      last: new Map(entry.last),
    });
  return { entries: copied, held: new Map(held), holding, earliest, tidyAt, seenAt };
}
