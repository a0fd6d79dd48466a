import type { PaymentProblem } from "../../../contract.ts";
import { observable } from "../design/observable.ts";

/** The credit refusal on display; `null` if there is none. */
export const paywall = observable<PaymentProblem | null>(null);

export function showPaywall(problem: PaymentProblem): void {
  paywall.set(problem);
}
