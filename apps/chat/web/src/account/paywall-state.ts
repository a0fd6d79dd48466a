import type { PaymentProblem } from "../../../contract.ts";
import { observable } from "../design/observable.ts";

/** The refusal for want of credit that is being shown; `null` while there is none. */
export const paywall = observable<PaymentProblem | null>(null);

export function showPaywall(problem: PaymentProblem): void {
  paywall.set(problem);
}
