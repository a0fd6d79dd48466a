import { describe } from "../../core/describe.ts";
import { HeadgateError } from "../../core/errors.ts";
import { reportTo } from "../../core/for-adapters.ts";
import { letFail } from "../../core/thenable.ts";

/** Whether a response of this status gives the request its charge back. Never throws. */
export type Refunds = (status: number) => boolean;

/** The user's `refundWhen`, for one request. One that fails refunds nothing, and is reported. */
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
        `refundWhen of rateLimit must return true or false, and no promise; it returned ${describe(answer)}. Nothing is refunded.`,
      );
    } catch (error) {
      reportTo(limiter, error);
      return false;
    }
  };
}
