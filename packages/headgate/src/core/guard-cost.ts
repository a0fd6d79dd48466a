import type { Cost } from "./cost.ts";

/** What the `cost` of a guard may return: a cost, or `undefined` for one request; at once, or as a promise. */
export type GuardCost = Cost | undefined | PromiseLike<Cost | undefined>;

/**
 * A type that the options of a guard must also satisfy, so that a `cost` in a unit that the limiter does not count does not
 * compile: the compiler alone does not look for extra units in a function's result. It is `unknown`, which requires nothing, if
 * all units are counted, or if the units of the limiter or of the cost are not known.
 */
export type CountedCost<Costs, Unit extends string, Option extends string = "cost"> = string extends
  | Unit
  | UnitsOfCost<Costs>
  ? unknown
  : [Uncounted<Costs, Unit>] extends [never]
    ? unknown
    : { readonly [One in Option]: `No limit counts "${Uncounted<Costs, Unit>}": declare it in units.` };

type Uncounted<Costs, Unit extends string> = Exclude<UnitsOfCost<Costs>, Unit | "requests">;

type UnitsOfCost<Costs> =
  Costs extends PromiseLike<infer Later>
    ? UnitsOfCost<Later>
    : Costs extends object
      ? keyof Costs & string
      : never;
