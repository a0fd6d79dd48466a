import type { Admission, Known, Refused } from "../../core/admission.ts";
import type { Cost } from "../../core/cost.ts";
import { describe } from "../../core/describe.ts";
import { HeadgateError } from "../../core/errors.ts";
import { admitUnidentified, isLimiter, reportTo } from "../../core/for-adapters.ts";
import type { GuardCost } from "../../core/guard-cost.ts";
import { checkOptions, othersOptions } from "../../core/options.ts";
import { isThenable, letFail } from "../../core/thenable.ts";
import { checkWholeNumber } from "../../core/whole-number.ts";
import type { Limiter } from "../../limiter/contract.ts";
import { addressless } from "../address/client-address.ts";
import type { FieldOptions } from "../fields/fields.ts";
import { checkStatus, type RefusalBody } from "../refusal/refusal.ts";
import { checkedId, type RequestId } from "./request-id.ts";

/**
 * The options of `rateLimit`. Its functions get the framework's arguments: Express's request and response, Hono's
 * context, or a fetch handler's request and the runtime's further arguments.
 */
export interface GuardOptions<
  Caller,
  Given extends readonly unknown[],
  Refusing extends readonly unknown[] = Given,
  Answer = unknown,
  Costs extends GuardCost = GuardCost,
> extends FieldOptions {
  /**
   * Returns the caller. It may be asynchronous. If it fails or takes longer than `lookupMs`, the request is counted as
   * unidentified.
   */
  caller: (...given: Given) => Caller | PromiseLike<Caller>;
  /**
   * Returns what the request costs, in units that the limiter counts. Default: one request. If it fails, the request is
   * counted as unidentified.
   */
  cost?: (...given: Given) => Costs;
  /**
   * Returns the id of a request, so that it is charged and answered once: `(request) => ({ id:
   * request.headers.get("idempotency-key") })`. A request whose id is running or done never reaches the handler. It
   * gets a 409, or a 422 if the id belongs to another fingerprint. The id is done after a response below 500 that was
   * sent completely and does not ask for a retry (408, 425, 429). After any other response, the next request with the
   * id reaches the handler. If this function fails, the error is reported, and the request has no id.
   */
  idempotency?: (...given: Given) => RequestId | undefined | PromiseLike<RequestId | undefined>;
  /**
   * Called for a request whose id is already claimed, like `onRefused` for a refused request. It may attach to the
   * answer in progress, or send the answer again. If it returns `undefined` and has answered nothing, the guard
   * answers.
   */
  onKnown?: (known: Known, ...given: Refusing) => Answer | undefined | PromiseLike<Answer | undefined>;
  /**
   * Requests that the guard ignores: they are neither counted nor refused. If this function fails or is late, nothing
   * is skipped.
   */
  skip?: (...given: Given) => boolean | PromiseLike<boolean>;
  /**
   * How long `skip`, and then `caller` and `cost` together, may take, in milliseconds from 1 to 60,000. Default:
   * 10,000. Without a limit, a lookup that never answers would block its request forever.
   */
  lookupMs?: number;
  /**
   * Returns the body of a refusal, instead of the problem, text or page that the client's `Accept` asks for. Status and
   * fields do not change. If it returns `undefined`, the default body is sent; if it fails, the error is also reported.
   */
  body?: (refused: Refused, ...given: Given) => RefusalBody | undefined;
  /** The status for a spent quota, from 400 to 599. Default: 429. */
  status?: number;
  /**
   * Called for a refused request before any status or field is set. It may respond in the framework's own way, for
   * example with another status, a redirect or a page. If it returns `undefined` and has not responded, the guard
   * refuses as usual. If it fails, the error is reported and the guard refuses as usual. It may be asynchronous.
   */
  onRefused?: (refused: Refused, ...given: Refusing) => Answer | undefined | PromiseLike<Answer | undefined>;
  /**
   * Decides by the response status whether the whole charge is refunded, as if the request had never been admitted:
   * `(status) => status < 400` counts failures only. Not called if the client leaves before there is a status. A
   * request that holds units or places is refunded when the response has ended; any other request when the response
   * head is sent. If it fails, the error is reported and nothing is refunded.
   */
  refundWhen?: (status: number, ...given: Given) => boolean;
}

const guardFunctions = [
  "caller",
  "cost",
  "idempotency",
  "skip",
  "body",
  "onRefused",
  "onKnown",
  "refundWhen",
] as const;
const guardOptions = [...guardFunctions, "lookupMs", "status", "legacy", "fields"];
const usualLookupMs = 10_000;
const longestLookupMs = 60_000;

/**
 * Checks the arguments of `rateLimit` when it is mounted.
 *
 * @returns the limiter without its unit types. From here on, units are checked at run time.
 * @throws HeadgateError `option-invalid`, naming the value and what is expected.
 */
export function checkMount<Caller, Unit extends string>(
  limiter: Limiter<Caller, Unit>,
  options: unknown,
): Limiter<Caller> {
  if (!isLimiter(limiter)) throw new HeadgateError("option-invalid", noLimiter(limiter));
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw new HeadgateError(
      "option-invalid",
      `The options of rateLimit must be an object such as { caller: (request) => … }, got ${describe(options)}.`,
    );
  }
  checkOptions("rateLimit", options, guardOptions, "option-invalid", { moved: othersOptions });
  for (const option of guardFunctions) {
    const given = (options as Record<string, unknown>)[option];
    if (typeof given === "function" || (given === undefined && option !== "caller")) continue;
    throw new HeadgateError(
      "option-invalid",
      `${option} of rateLimit must be a function of the request, got ${describe(given)}.`,
    );
  }
  const { status, lookupMs } = options as { status?: unknown; lookupMs?: number };
  checkStatus("rateLimit", status);
  if (lookupMs !== undefined) checkWholeNumber("lookupMs of rateLimit", lookupMs, 1, longestLookupMs);
  const useless = (options as { caller: { [addressless]?: string } }).caller[addressless];
  if (useless !== undefined) throw new HeadgateError("option-invalid", useless);
  return limiter as Limiter<Caller>;
}

function noLimiter(given: unknown): string {
  const has = (name: string) => typeof given === "object" && given !== null && name in given;
  if (has("addHook"))
    return 'fastify.register(rateLimit, …) guards nothing. Write app.addHook("onRequest", rateLimit(limiter, { caller })).';
  if (has("headers") || has("req") || has("switchToHttp"))
    return "rateLimit was mounted without being called, and got a request. Write rateLimit(limiter, { caller }).";
  return (
    `rateLimit takes a limiter made by createLimiter, and then { caller }; got ${describe(given)}. ` +
    "Options of other libraries: docs/moving-over.md."
  );
}

/** The result for a request: `undefined` if it passes undecided, `"left"` if its client has gone. */
export type Decided = Admission | Known | "left" | undefined;

/**
 * Decides a request and never throws: an error in the guard must not become an error of the endpoint. An error is
 * reported, and the request is counted as unidentified. `undefined` means that even that failed, because the limiter is
 * closed: the error is reported and the request passes.
 *
 * @param hasLeft whether the client has gone. If so, errors such as an unknown address are ignored. Called before each
 *   wait and after it, because Deno watches a connection only once it was asked
 */
export function admitRequest<Caller, Given extends readonly unknown[]>(
  limiter: Limiter<Caller>,
  given: Given,
  options: Pick<GuardOptions<Caller, Given>, "caller" | "cost" | "idempotency" | "lookupMs">,
  hasLeft: () => boolean,
): Decided | Promise<Decided> {
  let lookup: Caller | PromiseLike<Caller> | undefined;
  try {
    lookup = options.caller(...given);
    const cost = options.cost?.(...given);
    const id = options.idempotency === undefined ? undefined : idOf(limiter, options, given);
    if (isThenable(lookup) || isThenable(cost) || isThenable(id)) {
      hasLeft();
      const looking = within("caller and cost", options.lookupMs, Promise.all([lookup, cost, id]));
      return admitLater(limiter, looking, hasLeft);
    }
    const admission = admit(limiter, lookup, cost, id);
    if (!(admission instanceof Promise)) return admission;
    hasLeft();
    return admission.catch((error: unknown) => admitFaulty(limiter, error, hasLeft));
  } catch (error) {
    // Nobody awaits this lookup any more: its rejection must not end the process.
    letFail(lookup);
    return admitFaulty(limiter, error, hasLeft);
  }
}

async function admitLater<Caller>(
  limiter: Limiter<Caller>,
  looking: Promise<[Caller, Cost | undefined, RequestId | undefined]>,
  hasLeft: () => boolean,
): Promise<Decided> {
  try {
    const [caller, known, id] = await looking;
    return hasLeft() ? "left" : await admit(limiter, caller, known, id);
  } catch (error) {
    return admitFaulty(limiter, error, hasLeft);
  }
}

/** @throws HeadgateError `lookup-failed` if it takes too long. */
function within<Value>(
  what: string,
  lookupMs: number | undefined,
  looking: PromiseLike<Value>,
): Promise<Value> {
  const longestMs = lookupMs ?? usualLookupMs;
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () =>
        reject(new HeadgateError("lookup-failed", `${what} of rateLimit took longer than ${longestMs} ms.`)),
      longestMs,
    );
    Promise.resolve(looking)
      .then(resolve, reject)
      .finally(() => clearTimeout(timer));
  });
}

/** The result of `idempotency`. If it fails, the error is reported, and the request is charged without an id. */
function idOf<Caller, Given extends readonly unknown[]>(
  limiter: Limiter<Caller>,
  { idempotency, lookupMs }: Pick<GuardOptions<Caller, Given>, "idempotency" | "lookupMs">,
  given: Given,
): RequestId | undefined | Promise<RequestId | undefined> {
  const failed = (error: unknown) => {
    reportTo(limiter, error);
    return undefined;
  };
  try {
    const answer = idempotency?.(...given);
    return isThenable(answer) ? within("idempotency", lookupMs, answer).catch(failed) : answer;
  } catch (error) {
    return failed(error);
  }
}

function admit<Caller>(
  limiter: Limiter<Caller>,
  caller: Caller,
  cost: Cost | undefined,
  id: RequestId | undefined,
): Admission | Known | Promise<Admission | Known> {
  const checked = id === undefined ? undefined : checkedId(limiter, id);
  if (checked !== undefined) {
    const options = { ...checked, ...(cost === undefined ? {} : { cost }) };
    try {
      return limiter.admit(caller, options);
    } catch (error) {
      // An invalid fingerprint, or a store without support for ids, does not make the caller unknown.
      if (
        !(error instanceof HeadgateError) ||
        (error.code !== "option-invalid" && error.code !== "store-invalid")
      )
        throw error;
      reportTo(limiter, error);
    }
  }
  return cost === undefined ? limiter.admit(caller) : limiter.admit(caller, { cost });
}

async function admitFaulty(limiter: object, reason: unknown, hasLeft: () => boolean): Promise<Decided> {
  if (hasLeft()) return "left";
  reportTo(limiter, reason);
  try {
    return await admitUnidentified(limiter);
  } catch (error) {
    reportTo(limiter, error);
    return undefined;
  }
}

/**
 * Calls `skip` and then `admitRequest`. Synchronous if both are. Never throws.
 *
 * @param hasLeft see `admitRequest`
 */
export function decideRequest<Caller, Given extends readonly unknown[]>(
  limiter: Limiter<Caller>,
  given: Given,
  options: Pick<GuardOptions<Caller, Given>, "caller" | "cost" | "idempotency" | "skip" | "lookupMs">,
  hasLeft: () => boolean,
): Decided | Promise<Decided> {
  const skipped = isSkipped(limiter, given, options);
  if (skipped === true) return undefined;
  if (skipped === false) return admitRequest(limiter, given, options, hasLeft);
  hasLeft();
  return skipped.then((isSo) => {
    if (isSo) return undefined;
    return hasLeft() ? "left" : admitRequest(limiter, given, options, hasLeft);
  });
}

/**
 * Whether the user's `skip` skips the request. If it fails, the request is not skipped: an error must not disable the
 * limits.
 */
export function isSkipped<Caller, Given extends readonly unknown[]>(
  limiter: Limiter<Caller>,
  given: Given,
  { skip, lookupMs }: Pick<GuardOptions<Caller, Given>, "skip" | "lookupMs">,
): boolean | Promise<boolean> {
  if (skip === undefined) return false;
  const failed = (error: unknown) => {
    reportTo(limiter, error);
    return false;
  };
  try {
    const answer: unknown = skip(...given);
    // Only `true` skips, so a forgotten `return` does not disable the limits.
    if (isThenable(answer))
      return within("skip", lookupMs, answer).then((skipped) => skipped === true, failed);
    return answer === true;
  } catch (error) {
    return failed(error);
  }
}

/**
 * Whether an `OPTIONS` request is a CORS preflight, which asks whether the actual request may be sent.
 *
 * @param requestedMethod its `Access-Control-Request-Method`. Read the field for `OPTIONS` requests only, because
 *   reading costs time.
 */
export function isPreflight(requestedMethod: string | null | undefined): boolean {
  return requestedMethod !== null && requestedMethod !== undefined;
}
