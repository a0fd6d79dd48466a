import { type Cost, checkCost } from "./core/cost.ts";
import { HeadgateError } from "./core/errors.ts";
import type { Question } from "./core/ruling.ts";
import type { Charge } from "./core/store.ts";

/**
 * What a penalty asks of the store before it is charged: nothing, in every layer that applies.
 *
 * @param question of the caller who is to be penalised.
 */
export function withoutCost({ layers, charges }: Question): Question {
  return {
    layers,
    charges: charges.map((charge): Charge => {
      const nothing = charge.limits.groups.map(() => 0);
      return { ...charge, needs: nothing, spends: nothing };
    }),
  };
}

/** @throws HeadgateError `cost-invalid`, also for places: nobody could give them back. */
export function checkPenalty(cost: Cost): void {
  checkCost(cost);
  if (!Object.hasOwn(cost, "concurrent")) return;
  throw new HeadgateError(
    "cost-invalid",
    'A penalty is charged in units that are spent, such as { requests: 5 }; it cannot take places ("concurrent").',
  );
}
