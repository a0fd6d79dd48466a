import { describe } from "../../core/describe.ts";
import { HeadgateError } from "../../core/errors.ts";
import { reportTo } from "../../core/for-adapters.ts";
import { letFail } from "../../core/thenable.ts";

/** Whether a response with this status refunds the request. Never throws. */
export type Refunds = (status: number) => boolean;

/** Wraps the user's `refundWhen` for one request. If it fails, the error is reported and nothing is refunded. */
export function refundsOf<Given extends readonly unknown[]>(
  limiter: object,
  refundWhen: ((status: number, ...given: Given) => boolean) | undefined,
  given: Given,
): Refunds | undefined {
  if (refundWhen === undefined) return undefined;
  return (status) => {
    try {
      const answer: unknown = refundWhen(status, ...given);
      if (typeof answer === "boolean") return answer;
      letFail(answer);
      throw new HeadgateError(
        "option-invalid",
        `refundWhen of rateLimit must return true or false, not a promise; it returned ${describe(answer)}. Nothing is refunded.`,
      );
    } catch (error) {
      reportTo(limiter, error);
      return false;
    }
  };
}
