import type { Known, Refused } from "../../core/admission.ts";
import { describe } from "../../core/describe.ts";
import { HeadgateError } from "../../core/errors.ts";
import { reportTo } from "../../core/for-adapters.ts";
import { isKnown } from "../../core/known-request.ts";
import { isThenable, letFail } from "../../core/thenable.ts";
import type { Limiter } from "../../limiter/contract.ts";
import type { FieldOptions } from "../fields/fields.ts";
import { type KnownAnswer, knownAnswer } from "../refusal/known-answer.ts";
import { prepareRefusals } from "../refusal/prepared.ts";
import { makeRefusal, type Refusal } from "../refusal/refusal.ts";
import type { GuardOptions } from "./admit.ts";

/**
 * Makes the response to a refused request, according to the guard's options and the client's `Accept` field.
 *
 * @param accept the request's `Accept` field
 */
export type Refuse<Given extends readonly unknown[]> = (
  refused: Refused | Known,
  given: Given,
  accept: string | null | undefined,
) => GuardAnswer;

/** A guard's answer instead of the handler's. */
export type GuardAnswer = Refusal | KnownAnswer;

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
      return own === undefined ? undefined : makeRefusal(refused, { ...options, body: own });
    } catch (error) {
      reportTo(limiter, error);
      return undefined;
    }
  }

  return (refused, given, accept = null) => {
    if (isKnown(refused)) return knownAnswer(refused);
    return (
      ownBody(refused, given) ?? prepared(refused, accept) ?? makeRefusal(refused, { ...options, accept })
    );
  };
}

/** The user's own hook that may answer a request instead of the guard. */
export function hookFor<Given extends readonly unknown[], Answer>(
  { onRefused, onKnown }: Pick<GuardOptions<never, Given, Given, Answer>, "onRefused" | "onKnown">,
  refused: Refused | Known,
): ((refused: never, ...given: Given) => unknown) | undefined {
  return isKnown(refused) ? onKnown : onRefused;
}

/**
 * The result of `onRefused` or `onKnown`. Never throws: a failure is reported, and `undefined` leaves the response to
 * the guard.
 *
 * @param isSignal whether a thrown value is not a failure but the framework's way to respond
 */
export function askHook<Given extends readonly unknown[]>(
  limiter: object,
  hook: (refused: never, ...given: Given) => unknown,
  refused: Refused | Known,
  given: Given,
  isSignal: (error: unknown) => boolean = () => false,
): unknown {
  const failed = (error: unknown) => {
    if (isSignal(error)) throw error;
    reportTo(limiter, error);
    return undefined;
  };
  try {
    const answer = hook(refused as never, ...given);
    return isThenable(answer) ? Promise.resolve(answer).then(undefined, failed) : answer;
  } catch (error) {
    return failed(error);
  }
}

/** Reports an `onRefused` or `onKnown` whose result cannot be sent. The guard then responds as usual. */
export function reportAnswer(
  limiter: object,
  refused: Refused | Known,
  answer: unknown,
  right: string,
): void {
  if (answer === undefined) return;
  reportTo(
    limiter,
    new HeadgateError(
      "option-invalid",
      `${isKnown(refused) ? "onKnown" : "onRefused"} of rateLimit returned ${describe(answer)}: return ${right}, or nothing to leave the ${isKnown(refused) ? "answer" : "refusal"} to the guard.`,
    ),
  );
}
