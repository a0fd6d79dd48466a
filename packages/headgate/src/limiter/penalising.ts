import { type Cost, checkCost } from "../core/cost.ts";
import { HeadgateError } from "../core/errors.ts";

/** @throws HeadgateError `cost-invalid`, also for places, because nothing would give them back. */
export function checkPenalty(cost: Cost, units: ReadonlySet<string>): void {
  if (Object.hasOwn(cost ?? {}, "concurrent")) {
    throw new HeadgateError(
      "cost-invalid",
      'A penalty is charged in units that are spent, such as { requests: 5 }; it cannot take places ("concurrent").',
    );
  }
  checkCost(cost, units);
}
