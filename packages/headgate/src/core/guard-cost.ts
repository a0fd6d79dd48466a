import type { Cost } from "./cost.ts";

/** What the `cost` of a guard may return: a cost, or `undefined` for one request; at once, or as a promise. */
export type GuardCost = Cost | undefined | PromiseLike<Cost | undefined>;

/**
 * What the options of a guard must be as well, so that a `cost` in a unit that the limiter does not count does not compile: by
 * itself, the compiler does not look for more units in what a function returns. `unknown`, which asks for nothing, where all
 * are counted, and where the units of the limiter or of the cost are not known.
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
