import type { Refused } from "../../core/admission.ts";
import { describe } from "../../core/describe.ts";
import { HeadgateError } from "../../core/errors.ts";
import { reportTo } from "../../core/for-adapters.ts";
import { isThenable, letFail } from "../../core/thenable.ts";
import type { Limiter } from "../../limiter/contract.ts";
import type { FieldOptions } from "../fields/fields.ts";
import { prepareRefusals } from "../refusal/prepared.ts";
import { type Refusal, refusal } from "../refusal/refusal.ts";
import type { GuardOptions } from "./admit.ts";

/**
 * Makes the response to a refused request, according to the guard's options and the client's `Accept` field.
 *
 * @param accept the request's `Accept` field
 */
export type Refuse<Given extends readonly unknown[]> = (
  refused: Refused,
  given: Given,
  accept: string | null | undefined,
) => Refusal;

/**
 * Prepares the refusals of a guard. They never throw: if the user's `body` function fails, the error is reported and
 * the default body is sent.
 */
export function prepareRefusing<Caller, Given extends readonly unknown[]>(
  limiter: Limiter<Caller>,
  { body, status }: Pick<GuardOptions<Caller, Given>, "body" | "status">,
  fieldOptions: Required<FieldOptions>,
): Refuse<Given> {
  const options = status === undefined ? fieldOptions : { ...fieldOptions, status };
  const prepared = prepareRefusals(options);

  function ownBody(refused: Refused, given: Given): Refusal | undefined {
    if (body === undefined) return undefined;
    try {
      const own = body(refused, ...given);
      letFail(own);
      return own === undefined ? undefined : refusal(refused, { ...options, body: own });
    } catch (error) {
      reportTo(limiter, error);
      return undefined;
    }
  }

  return (refused, given, accept = null) =>
    ownBody(refused, given) ?? prepared(refused, accept) ?? refusal(refused, { ...options, accept });
}

/**
 * Calls `onRefused`. Never throws: if it fails, the error is reported and `undefined` is returned, so that the guard
 * refuses.
 *
 * @param isSignal whether a thrown value is not a failure but the framework's way to respond
 */
export function askOnRefused<Given extends readonly unknown[]>(
  limiter: object,
  onRefused: (refused: Refused, ...given: Given) => unknown,
  refused: Refused,
  given: Given,
  isSignal: (error: unknown) => boolean = () => false,
): unknown {
  const failed = (error: unknown) => {
    if (isSignal(error)) throw error;
    reportTo(limiter, error);
    return undefined;
  };
  try {
    const answer = onRefused(refused, ...given);
    return isThenable(answer) ? Promise.resolve(answer).then(undefined, failed) : answer;
  } catch (error) {
    return failed(error);
  }
}

/** Reports an `onRefused` that returned a value that cannot be sent. The guard refuses as usual. */
export function reportAnswer(limiter: object, answer: unknown, right: string): void {
  if (answer === undefined) return;
  reportTo(
    limiter,
    new HeadgateError(
      "option-invalid",
      `onRefused of rateLimit returned ${describe(answer)}: return ${right}, or nothing to leave the refusal to the guard.`,
    ),
  );
}
