import {
  type AppliedOverride,
  type Decided,
  type DecidedBy,
  findTightest,
  type LimitReading,
  nameReadings,
  type Refused,
  unlimitedReading,
  type WaitsFor,
} from "./admission.ts";
import type { Cost } from "./cost.ts";
import { blocked, blockedForMs, type Override } from "./override.ts";
import type { Question, Ruling } from "./ruling.ts";
import type { Charge } from "./store.ts";

/**
 * Node and other runtimes call this method when they log an object. It shows a decision's properties instead of its
 * private fields.
 */
const inspected = Symbol.for("nodejs.util.inspect.custom");

/** The part of a ruling, or of its later change, that a decision shows. */
export type Shown = Pick<Ruling, "layers" | "charges" | "outcome" | "unavailable">;

/**
 * A ruling with the names of the policy. `limits` is built when it is first read, because most code never reads it. Its
 * values come from the moment of the decision.
 */
export class Decision implements Decided {
  readonly #ruling: Ruling;
  readonly #cost: Cost | undefined;
  readonly #asked: Pick<Question, "charges" | "policy">;
  #shown: Shown;
  #limits: readonly LimitReading[] | undefined;

  /** @param asked the whole question, if the ruling is about a part of it. */
  constructor(ruling: Ruling, cost: Cost | undefined, asked: Pick<Question, "charges" | "policy"> = ruling) {
    this.#ruling = ruling;
    this.#asked = asked;
    this.#cost = cost;
    this.#shown = ruling;
  }

  get at(): number {
    return this.#ruling.outcome.now;
  }

  get decidedBy(): DecidedBy {
    return this.#ruling.decidedBy;
  }

  get plan(): string | undefined {
    for (const { limits } of this.#asked.charges) if (limits.plan !== undefined) return limits.plan;
    return undefined;
  }

  get policy(): string {
    return this.#asked.policy ?? "";
  }

  get limits(): readonly LimitReading[] {
    this.#limits ??= readingsOf(this.#shown);
    return this.#limits;
  }

  get tightest(): LimitReading | undefined {
    return findTightest(this.limits, this.#cost);
  }

  get overrides(): readonly AppliedOverride[] | undefined {
    return appliedTo(this.#ruling, this.#ruling.outcome.overrides);
  }

  protected get ruling(): Ruling {
    return this.#ruling;
  }

  /**
   * Returns what a decision shows, for code that formats it in another way, such as the `RateLimit` fields. `undefined`
   * for an object that only looks like a decision.
   */
  static shownOf(decided: object): Shown | undefined {
    return #shown in decided ? decided.#shown : undefined;
  }

  /** Changes what this decision shows, after an extension. */
  protected show(shown: Shown): void {
    this.#shown = shown;
    this.#limits = undefined;
  }

  /** Returns the decision as a plain object, for logs. */
  toJSON(): Decided {
    const { limits, tightest, at, plan, policy, decidedBy, overrides } = this;
    return {
      limits,
      tightest,
      at,
      plan,
      policy,
      decidedBy,
      ...(overrides === undefined ? {} : { overrides }),
    };
  }

  [inspected](): Decided {
    return this.toJSON();
  }
}

/**
 * Returns the overrides of a question's partitions; `undefined` if there are none.
 *
 * @param found for each partition, the override that the store returned.
 */
export function appliedTo(
  {
    layers,
    charges,
  }: { layers: readonly string[]; charges: readonly Pick<Charge, "override" | "byPrefix">[] },
  found?: readonly (Override | undefined)[],
): AppliedOverride[] | undefined {
  let applied: AppliedOverride[] | undefined;
  for (let c = 0; c < charges.length; c += 1) {
    const override = found?.[c] ?? inPlaceOf(charges[c]);
    if (override === undefined) continue;
    const { id: _, ...shown } = override;
    applied ??= [];
    applied.push({ layer: layers[c] as string, ...shown });
  }
  return applied;
}

function readingsOf({ layers, charges, outcome }: Shown): LimitReading[] {
  return nameReadings(layers, charges, outcome);
}

/** An admitted request that has no reservation. */
export class AdmittedRequest extends Decision {
  get admitted(): true {
    return true;
  }

  override toJSON(): Decided & { readonly admitted: true } {
    return { admitted: true, ...super.toJSON() };
  }
}

const crowdedRetryMs = 1000;

/** A refused request. */
export class RefusedRequest extends Decision implements Refused {
  #binding: LimitReading | undefined;

  constructor(ruling: Ruling, cost: Cost | undefined, asked: Pick<Question, "charges" | "policy"> = ruling) {
    super(withEnds(withBlocks(ruling)), cost, asked);
  }

  get admitted(): false {
    return false;
  }

  get binding(): LimitReading {
    this.#binding ??= longestWaitOf(this.limits, this.ruling);
    return this.#binding;
  }

  get reason(): Refused["reason"] {
    const { refusedFor } = this.ruling.outcome;
    if (refusedFor === "ended") return "ended";
    if (refusedFor === "crowded") return "too-many-reservations";
    const isNever = this.binding.waitMs === Number.POSITIVE_INFINITY;
    if (refusedFor === "blocked" && (!isNever || this.#blockedForMs === Number.POSITIVE_INFINITY))
      return "blocked";
    if (isNever) return "cost-exceeds-quota";
    return this.ruling.unavailable === true ? "store-unavailable" : "quota-exceeded";
  }

  get retryAfterMs(): number {
    const { refusedFor } = this.ruling.outcome;
    if (refusedFor === "ended") return Number.POSITIVE_INFINITY;
    // It is not known which of thousands of reservations ends first.
    if (refusedFor === "crowded") return Math.max(crowdedRetryMs, this.binding.waitMs);
    return Math.max(this.binding.waitMs, this.#blockedForMs);
  }

  get #blockedForMs(): number {
    const { outcome } = this.ruling;
    const isByPlan = outcome.refusedFor === "blocked" && outcome.overrides === undefined;
    return isByPlan ? Number.POSITIVE_INFINITY : blockedForMs(outcome);
  }

  get retryAfterSeconds(): number {
    return Math.ceil(this.retryAfterMs / 1000);
  }

  get waitsFor(): WaitsFor {
    if (this.ruling.outcome.refusedFor === "crowded") return "holders";
    return this.#blockedForMs > this.binding.waitMs ? "window" : this.binding.waitsFor;
  }

  get affordable(): Readonly<Record<string, number>> {
    const affordable: Record<string, number> = {};
    for (const { unit, remaining } of this.limits) {
      // A unit may have the name of an inherited property, such as "constructor".
      const least = Object.hasOwn(affordable, unit) ? affordable[unit] : undefined;
      if (least === undefined || remaining < least) affordable[unit] = remaining;
    }
    return affordable;
  }

  override toJSON(): Refused {
    const { admitted, reason, retryAfterMs, retryAfterSeconds, waitsFor, binding, affordable } = this;
    return {
      admitted,
      reason,
      retryAfterMs,
      retryAfterSeconds,
      waitsFor,
      binding,
      affordable,
      ...super.toJSON(),
    };
  }
}

/** A blocked caller has nothing left until the block ends, whatever the limits say. */
function withBlocks(ruling: Ruling): Ruling {
  const { outcome } = ruling;
  const { now, refusedFor, overrides } = outcome;
  if (refusedFor !== "blocked" || overrides === undefined) return ruling;
  const readings = outcome.readings.map((limits, c) => {
    const override = overrides[c];
    if (override?.limits !== blocked) return limits;
    const leftMs = Math.max(0, override.until - now);
    return limits.map(({ remaining, waitMs, resetMs, holders = false }) => ({
      remaining: 0,
      waitMs: Math.max(leftMs, waitMs),
      resetMs: remaining > 0 ? leftMs : Math.max(leftMs, resetMs),
      holders: holders && waitMs > leftMs,
    }));
  });
  return withReadings(ruling, readings);
}

/** Returns the override that replaced the limits of a charge. */
function inPlaceOf(charge: Pick<Charge, "override" | "byPrefix"> | undefined): Override | undefined {
  return charge?.override ?? charge?.byPrefix;
}

function hasEnd(charges: Ruling["charges"]): boolean {
  for (let c = 0; c < charges.length; c += 1) {
    const override = inPlaceOf(charges[c]);
    if (override !== undefined && Number.isFinite(override.until)) return true;
  }
  return false;
}

/** If the limits of an override can never admit a cost, the request may be admitted after the override ends. */
function withEnds(ruling: Ruling): Ruling {
  const { outcome, charges } = ruling;
  if (!hasEnd(charges)) return ruling;
  const readings = outcome.readings.map((limits, c) => {
    const leftMs = Math.max(1, (inPlaceOf(charges[c])?.until ?? Number.POSITIVE_INFINITY) - outcome.now);
    return limits.map((reading) =>
      reading.waitMs === Number.POSITIVE_INFINITY ? { ...reading, waitMs: leftMs } : reading,
    );
  });
  return withReadings(ruling, readings);
}

/** An outcome may have getters, which spread would not copy: name each property. */
function withReadings(ruling: Ruling, readings: Ruling["outcome"]["readings"]): Ruling {
  const { admitted, now, marks, refusedFor, overrides } = ruling.outcome;
  return {
    ...ruling,
    outcome: {
      admitted,
      now,
      readings,
      marks,
      ...(refusedFor === undefined ? {} : { refusedFor }),
      ...(overrides === undefined ? {} : { overrides }),
    },
  };
}

function longestWaitOf(limits: readonly LimitReading[], { layers, charges, outcome }: Ruling): LimitReading {
  let longest: LimitReading | undefined;
  for (const limit of limits) {
    if (longest === undefined || limit.waitMs > longest.waitMs) longest = limit;
  }
  for (let c = 0; c < charges.length; c += 1) {
    if (charges[c]?.limits.word !== "unlimited") continue;
    const waitMs = Math.max(0, ...(outcome.readings[c] ?? []).map((reading) => reading.waitMs));
    if (waitMs > (longest?.waitMs ?? 0)) longest = unlimitedReading(layers[c] as string, waitMs);
  }
  return longest ?? unlimitedReading(layers[0] ?? "", 0);
}
