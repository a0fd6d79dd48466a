import { HttpProblem } from "../http/problems.ts";
import { type Exchange, exchanged, isPriced, multiplied } from "../model/price.ts";
import type { ModelChoice } from "../model/provider.ts";
import type { RateLimitCaller } from "./identity.ts";
import type { Plan, Plans } from "./plans.ts";

/** The models that a caller may use, with the caller's prices. The first model is the default. */
export type Offered = readonly [ModelChoice, ...ModelChoice[]];

export interface ModelOffers {
  of(caller: Pick<RateLimitCaller, "account" | "plan">): Offered;
}

/**
 * Determines which models a caller may use and at which prices, by the caller's plan if there are plans.
 *
 * @param choices all models of the service, at list prices
 */
export function createModelOffers(
  choices: Offered,
  plans: Pick<Plans, "planOf"> | undefined,
  exchange: Exchange,
): ModelOffers {
  const all = mapped(choices, (choice) => ({ ...choice, price: exchanged(choice.price, exchange) }));
  /** The offers, cached by plan. A changed plan is another object. */
  const known = new WeakMap<Plan, Offered>();

  function offeredBy(plan: Plan): Offered {
    const { models, prices, priceFactor } = plan;
    const priced = mapped(all, (choice) => {
      const own = Object.hasOwn(prices, choice.name) ? prices[choice.name] : undefined;
      return { ...choice, price: own ?? multiplied(choice.price, priceFactor) };
    });
    const [first, ...others] =
      models?.flatMap((name) => priced.filter((choice) => choice.name === name)) ?? priced;
    // The file's models were checked when it was read.
    if (first === undefined) throw new Error(`The service has none of the models ${models?.join(", ")}.`);
    return [first, ...others];
  }

  return {
    of(caller) {
      if (plans === undefined) return all;
      const plan = plans.planOf(caller);
      const offered = known.get(plan) ?? offeredBy(plan);
      known.set(plan, offered);
      return offered;
    },
  };
}

function mapped([first, ...others]: Offered, change: (choice: ModelChoice) => ModelChoice): Offered {
  return [change(first), ...others.map(change)];
}

/** Whether any model has a price. If not, the page shows no credit. */
export function isAnyPriced(offered: Offered): boolean {
  return offered.some(({ price }) => isPriced(price));
}

/**
 * Returns the model that a message names.
 *
 * @throws {HttpProblem} 403 for a model that the caller may not use or that does not exist
 */
export function chosenOf(offered: Offered, name: string | undefined): ModelChoice {
  if (name === undefined) return offered[0];
  const chosen = offered.find((choice) => choice.name === name);
  if (chosen) return chosen;
  const models = offered.map((choice) => choice.name);
  throw new HttpProblem(
    403,
    "model_not_allowed",
    `The model ${JSON.stringify(name)} can't be used here. ${models.length === 1 ? `The one that you can use is ${models[0]}.` : `You can use ${models.join(", ")}.`}`,
    { members: { model: name, models } },
  );
}
