import type { Refused } from "../core/admission.ts";
import type { Limiter } from "../limiter.ts";
import type { GuardOptions } from "./admit.ts";
import type { FieldOptions } from "./fields.ts";
import { type Refusal, refusal } from "./refusal.ts";

/**
 * What a refused request is answered, as the user of a guard and the client want it. Never throws: a body of the
 * user's own that fails is reported, and the guard's is sent.
 *
 * @param accept the request's `Accept` field
 */
export function refuseRequest<Caller, Given extends readonly unknown[]>(
  limiter: Limiter<Caller>,
  refused: Refused,
  given: Given,
  accept: string | null | undefined,
  { body }: Pick<GuardOptions<Caller, Given>, "body">,
  fieldOptions: Required<FieldOptions>,
): Refusal {
  if (body !== undefined) {
    try {
      const own = body(refused, ...given);
      if (own !== undefined) return refusal(refused, { ...fieldOptions, body: own });
    } catch (error) {
      limiter.report(error);
    }
  }
  const { legacy, fields } = fieldOptions;
  return refusal(refused, { legacy, fields, accept: accept ?? null });
}
