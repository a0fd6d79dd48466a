import type { Admission, Refused } from "../core/admission.ts";
import type { Cost } from "../core/cost.ts";
import { HeadgateError } from "../core/errors.ts";
import { checkOptions, othersOptions } from "../core/options.ts";
import type { Limiter } from "../limiter.ts";
import { addressless } from "./client-address.ts";
import { describe } from "./describe.ts";
import type { FieldOptions } from "./fields.ts";
import type { RefusalBody } from "./refusal.ts";

/**
 * What an adapter asks of its user. Its functions are given all that the framework gives: Express's request and
 * response, Hono's context, a fetch handler's request and whatever the runtime hands on with it.
 */
export interface GuardOptions<Caller, Given extends readonly unknown[]> extends FieldOptions {
  /** Says who is calling. It may look things up, and it may fail: then the request is counted as unidentified. */
  caller: (...given: Given) => Caller | PromiseLike<Caller>;
  /** What the request costs; one request by default. Where it fails, the request is counted as unidentified. */
  cost?: (...given: Given) => Cost | undefined | PromiseLike<Cost | undefined>;
  /** Requests that the guard leaves alone: they are neither counted nor refused. Where it fails, nothing is skipped. */
  skip?: (...given: Given) => boolean | PromiseLike<boolean>;
  /**
   * The body of a refusal, in place of the problem, text or page that the client's `Accept` asks for; `undefined`
   * leaves it at those. Status and fields stay as they are. Where it fails, that is reported and they are sent.
   */
  body?: (refused: Refused, ...given: Given) => RefusalBody | undefined;
}

const guardOptions = ["caller", "cost", "skip", "body", "legacy", "fields"];

/**
 * Checks what `rateLimit` is given, when it is mounted.
 *
 * @throws HeadgateError `option-invalid`, naming what was given and what would be right.
 */
export function checkMount(limiter: unknown, options: unknown): void {
  if (typeof limiter !== "object" || limiter === null || !("admit" in limiter)) {
    throw new HeadgateError(
      "option-invalid",
      `rateLimit takes a limiter that createLimiter has made, and then { caller }: it got ${describe(limiter)}. ` +
        "Options of other libraries: docs/moving-over.md.",
    );
  }
  if (typeof options !== "object" || options === null) {
    throw new HeadgateError(
      "option-invalid",
      `The options of rateLimit are an object such as { caller: (request) => … }, got ${describe(options)}.`,
    );
  }
  checkOptions("rateLimit", options, guardOptions, "option-invalid", othersOptions);
  for (const option of ["caller", "cost", "skip", "body"] as const) {
    const given = (options as Record<string, unknown>)[option];
    if (typeof given === "function" || (given === undefined && option !== "caller")) continue;
    throw new HeadgateError(
      "option-invalid",
      `${option} of rateLimit must be a function of the request, got ${describe(given)}.`,
    );
  }
  const useless = (options as { caller: { [addressless]?: string } }).caller[addressless];
  if (useless !== undefined) throw new HeadgateError("option-invalid", useless);
}

/**
 * Decides a request without ever throwing: a fault of the guard's own must not become a fault of the endpoint's.
 * What fails is reported, and the request is counted among the unidentified. `undefined` means that not even that
 * could be decided (the limiter is closed): the request passes, and the report says so.
 */
export function admitRequest<Caller, Given extends readonly unknown[]>(
  limiter: Limiter<Caller>,
  given: Given,
  options: Pick<GuardOptions<Caller, Given>, "caller" | "cost">,
): Admission | undefined | Promise<Admission | undefined> {
  let lookup: Caller | PromiseLike<Caller> | undefined;
  try {
    lookup = options.caller(...given);
    const cost = options.cost?.(...given);
    if (isPromise(lookup) || isPromise(cost)) return admitLater(limiter, lookup, cost);
    const admission = admit(limiter, lookup, cost);
    if (!(admission instanceof Promise)) return admission;
    return admission.catch((error: unknown) => admitUnidentified(limiter, error));
  } catch (error) {
    // A lookup that nobody waits for any more must not end the process when it fails.
    if (isPromise(lookup)) lookup.then(undefined, () => {});
    return admitUnidentified(limiter, error);
  }
}

async function admitLater<Caller>(
  limiter: Limiter<Caller>,
  lookup: Caller | PromiseLike<Caller>,
  cost: Cost | undefined | PromiseLike<Cost | undefined>,
): Promise<Admission | undefined> {
  try {
    const [caller, known] = await Promise.all([lookup, cost]);
    return await admit(limiter, caller, known);
  } catch (error) {
    return admitUnidentified(limiter, error);
  }
}

function admit<Caller>(limiter: Limiter<Caller>, caller: Caller, cost: Cost | undefined) {
  return cost === undefined ? limiter.admit(caller) : limiter.admit(caller, { cost });
}

async function admitUnidentified<Caller>(
  limiter: Limiter<Caller>,
  reason: unknown,
): Promise<Admission | undefined> {
  limiter.report(reason);
  try {
    return await limiter.admitUnidentified();
  } catch (error) {
    limiter.report(error);
    return undefined;
  }
}

/** Whether the user's `skip` says so. One that fails skips nothing: a fault must not open the gate. */
export function isSkipped<Caller, Given extends readonly unknown[]>(
  limiter: Limiter<Caller>,
  given: Given,
  { skip }: Pick<GuardOptions<Caller, Given>, "skip">,
): boolean | Promise<boolean> {
  if (skip === undefined) return false;
  const failed = (error: unknown) => {
    limiter.report(error);
    return false;
  };
  try {
    const answer: unknown = skip(...given);
    // Only `true` skips: what was forgotten to be returned does not open the gate either.
    if (isPromise(answer)) return Promise.resolve(answer).then((skipped) => skipped === true, failed);
    return answer === true;
  } catch (error) {
    return failed(error);
  }
}

/** Also one of another library's or realm's, as query builders and test runners make them. */
function isPromise<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return (
    value instanceof Promise || typeof (value as { then?: unknown } | null | undefined)?.then === "function"
  );
}

/**
 * Whether an `OPTIONS` request is a browser's question whether another may be sent at all (CORS): it is not that request.
 *
 * @param requestedMethod its `Access-Control-Request-Method`. To be read of such requests alone: reading costs.
 */
export function isPreflight(requestedMethod: string | null | undefined): boolean {
  return requestedMethod !== null && requestedMethod !== undefined;
}
