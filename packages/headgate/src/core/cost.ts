import { HeadgateError } from "./errors.ts";
import type { LimitSet } from "./limit-set.ts";
import { nearest } from "./options.ts";
import { show } from "./show.ts";
import { isThenable } from "./thenable.ts";

/**
 * What a request costs, by unit, in whole units. `requests` and `concurrent` default to 1. If any other limited unit is
 * left out, its cost is unknown: the request needs one free unit, and spends none until its use is reported. Requests
 * are spent immediately. Every other unit is held until its true use is reported. If a unit is 0, its limits do not
 * apply.
 */
export type Cost<Unit extends string = string> = string extends Unit
  ? Readonly<Record<string, number>>
  : { readonly [One in Unit | "requests"]?: number };

/** How much must be free, how much is spent and how much is held, for each group of a limit set. */
export interface Amounts {
  readonly needs: readonly number[];
  readonly spends: readonly number[];
  /** Absent if nothing is held. */
  readonly holds?: readonly number[];
}

/** @param cost must have passed `checkCost`. */
export function amountsOf(limits: LimitSet, cost: Cost | undefined): Amounts {
  return cost === undefined ? limits.usualAmounts : readAmounts(limits, cost);
}

/** @param cost must have passed `checkCost`. */
export function readAmounts({ groups }: Pick<LimitSet, "groups">, cost: Cost): Amounts {
  const amounts = groups.map(({ unit }) => spentOf(cost, unit));
  const needs = groups.map(({ unit }, g) => (Object.hasOwn(cost, unit) ? (amounts[g] as number) : 1));
  const spends = groups.map(({ unit }, g) => (unit === "requests" ? (amounts[g] as number) : 0));
  const holds = groups.map(({ unit }, g) => (unit === "requests" ? 0 : (amounts[g] as number)));
  return holds.some((units) => units > 0) ? { needs, spends, holds } : { needs, spends };
}

/** Returns how much of a unit a request asks for. */
export function spentOf(cost: Cost, unit: string): number {
  if (Object.hasOwn(cost, unit)) return cost[unit] as number;
  return unit === "requests" || unit === "concurrent" ? 1 : 0;
}

/**
 * @param units the units that costs may name.
 * @throws HeadgateError `cost-invalid`, naming the unit, the amount and what is expected.
 */
export function checkCost(cost: unknown, units: ReadonlySet<string>): void {
  if (cost === undefined) return;
  if (typeof cost !== "object" || cost === null || Symbol.iterator in cost || isThenable(cost)) {
    fail(`A cost must be an object such as { tokens: 1200 }, got ${show(cost)}.`);
  }
  for (const unit of Object.keys(cost)) {
    if (!units.has(unit))
      fail(`The cost names ${show(unit)}, which no limit counts${unitsInWords(unit, units)}`);
    const amount = (cost as Record<string, unknown>)[unit];
    if (amount === undefined) {
      fail(
        `The cost in ${unit} is undefined: leave ${unit} out if it is not known yet, or give a whole number from 0 up.`,
      );
    }
    if (!Number.isSafeInteger(amount) || (amount as number) < 0) {
      fail(`The cost in ${unit} must be a whole number from 0 up, got ${show(amount)}.`);
    }
  }
}

/** Like `checkCost`, for a cost that is required. */
export function checkStated(cost: unknown, units: ReadonlySet<string>): asserts cost is object {
  if (cost === undefined) fail("A cost must be an object such as { tokens: 1200 }, got undefined.");
  checkCost(cost, units);
}

function unitsInWords(unit: string, units: ReadonlySet<string>): string {
  const like = nearest(unit, [...units]);
  const meant = like === undefined ? "" : `: did you mean ${show(like)}?`;
  return `${meant === "" ? "." : meant} The units are ${[...units].map(show).join(", ")}; declare others in units.`;
}

function fail(message: string): never {
  throw new HeadgateError("cost-invalid", message);
}
