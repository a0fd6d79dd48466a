import { PaymentRequiredError, RateLimitedError } from "headgate/client";
import type { PaymentProblem, Problem } from "../../../contract.ts";

/** The error of a response with an error status. */
export class ServiceError extends Error {
  readonly status: number;
  readonly problem: Partial<Problem>;

  constructor(status: number, problem: Partial<Problem>) {
    super(problem.detail ?? problem.title ?? `The service answered ${status}.`);
    this.name = "ServiceError";
    this.status = status;
    this.problem = problem;
  }
}

/** The failures that the page shows in place of an answer. */
export type Failure =
  | { kind: "refused"; error: RateLimitedError }
  | { kind: "unpaid"; problem: PaymentProblem }
  /** An operator has blocked this caller; no wait helps. */
  | { kind: "blocked"; requestId: string | undefined }
  | { kind: "offline" }
  /** The service cannot be reached, although the browser is online. */
  | { kind: "unreachable" }
  | { kind: "server"; requestId: string | undefined }
  | { kind: "model"; detail: string; requestId: string | undefined }
  /** The answer began and then broke off. */
  | { kind: "broken-off"; connection: boolean }
  | { kind: "rejected"; detail: string }
  /** `required`: the caller is not signed in, and the service requires an account. */
  | { kind: "signed-out"; required?: true }
  | { kind: "gone" };

/**
 * Turns an error into a failure that the page can show.
 * @param online `navigator.onLine`: false is reliable, true is not
 * @param begun whether the answer had begun to arrive
 */
export function failureOf(
  error: unknown,
  { online, begun = false }: { online: boolean; begun?: boolean },
): Failure {
  if (error instanceof RateLimitedError) return { kind: "refused", error };
  if (error instanceof PaymentRequiredError) return failureOfPayment(error);
  if (error instanceof ServiceError) return failureOfStatus(error);
  if (begun) return { kind: "broken-off", connection: !online || error instanceof TypeError };
  return { kind: online ? "unreachable" : "offline" };
}

function failureOfPayment({ problem, message }: PaymentRequiredError): Failure {
  if (typeof problem?.balance !== "number" || typeof problem.currency !== "string") {
    return { kind: "rejected", detail: message };
  }
  return { kind: "unpaid", problem: problem as Problem as PaymentProblem };
}

function failureOfStatus({ status, problem }: ServiceError): Failure {
  const requestId = problem.request_id;
  if (status === 401) {
    return problem.error === "account_required"
      ? { kind: "signed-out", required: true }
      : { kind: "signed-out" };
  }
  // The page's requests come from its own origin, so `cross_origin` is a proxy's mistake and not a block. A model that
  // the plan no longer includes is not a block either, because the next attempt uses another model.
  if (status === 403 && problem.error !== "cross_origin" && problem.error !== "model_not_allowed")
    return { kind: "blocked", requestId };
  if (status === 404) return { kind: "gone" };
  if (status === 502 || status === 503 || status === 504) {
    // A proxy in front of a stopped service answers with the same statuses, but without a problem body.
    if (problem.detail === undefined || problem.error === "stopping") return { kind: "unreachable" };
    // The service is busy or cannot save, so the model is not the cause.
    if (/^(busy|disk_full|database_)/.test(problem.error ?? "")) {
      return { kind: "rejected", detail: problem.detail };
    }
    return { kind: "model", detail: problem.detail, requestId };
  }
  if (status >= 500) return { kind: "server", requestId };
  const fields = problem.fields?.map((field) => field.message).join(" ");
  return { kind: "rejected", detail: problem.detail ?? fields ?? "The service did not accept this request." };
}
