import type { Cost } from "./cost.ts";

/** What the `cost` option of a guard may return: a cost, `undefined` for one request, or a promise of either. */
export type GuardCost = Cost | undefined | PromiseLike<Cost | undefined>;

/**
 * A type that the options of a guard must also satisfy. It makes a `cost` in a unit that the limiter does not count a
 * compile error: TypeScript alone does not check for extra properties in a function's result. It is `unknown`, which
 * requires nothing, if all units are counted, or if the units of the limiter or of the cost are not known.
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
