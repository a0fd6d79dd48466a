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
import type { RefusalBody } from "../refusal/refusal.ts";
import { checkedId, type RequestId } from "./request-id.ts";

/**
 * What an adapter asks of its user. Its functions are given all that the framework gives: Express's request and
 * response, Hono's context, a fetch handler's request and whatever the runtime hands on with it.
 */
export interface GuardOptions<
  Caller,
  Given extends readonly unknown[],
  Refusing extends readonly unknown[] = Given,
  Answer = unknown,
  Costs extends GuardCost = GuardCost,
> extends FieldOptions {
  /**
   * Says who is calling. It may look things up, and it may fail or be late (`lookupMs`): then the request is counted as
   * unidentified.
   */
  caller: (...given: Given) => Caller | PromiseLike<Caller>;
  /**
   * What the request costs, in units that the limiter counts; one request by default. Where it fails, the request is counted as
   * unidentified.
   */
  cost?: (...given: Given) => Costs;
  /**
   * How the request names itself, so that it is charged and answered once: `(request) => ({ id: request.headers.get("idempotency-key") })`.
   * A request whose id is running or done never reaches the handler: it gets 409, and 422 where the id belongs to another
   * fingerprint. The id is done with a response below 500 that was sent whole; after any other, the next request with it reaches the
   * handler. Where this fails, that is reported, and the request has no id.
   */
  idempotency?: (...given: Given) => RequestId | undefined | PromiseLike<RequestId | undefined>;
  /**
   * Called for a request whose id is claimed already, as `onRefused` is for one that is refused: it may attach to the answer that is
   * under way, or send it once more. Where it returns `undefined` and has answered nothing, the guard answers.
   */
  onKnown?: (known: Known, ...given: Refusing) => Answer | undefined | PromiseLike<Answer | undefined>;
  /** Requests that the guard leaves alone: they are neither counted nor refused. Where it fails or is late, nothing is skipped. */
  skip?: (...given: Given) => boolean | PromiseLike<boolean>;
  /**
   * How long `caller` and `cost`, and before them `skip`, may take, in milliseconds from 1 to 60,000; 10,000 by default. A lookup
   * that never answers would keep its request for ever.
   */
  lookupMs?: number;
  /**
   * The body of a refusal, in place of the problem, text or page that the client's `Accept` asks for; `undefined`
   * leaves it at those. Status and fields stay as they are. Where it fails, that is reported and they are sent.
   */
  body?: (refused: Refused, ...given: Given) => RefusalBody | undefined;
  /** The status where a quota is spent, from 400 to 599. Default: 429. */
  status?: number;
  /**
   * Called for a refused request before anything is set: no status, no field. It may answer in the framework's own way, in place of the
   * refusal: with another status, a redirect, a page. Where it returns `undefined` and has answered nothing, the guard
   * refuses as usual; so too where it fails, and that is reported. It may be asynchronous.
   */
  onRefused?: (refused: Refused, ...given: Refusing) => Answer | undefined | PromiseLike<Answer | undefined>;
  /**
   * Says by the status of the response whether the request gets its whole charge back, as if it had never been admitted:
   * `(status) => status < 400` counts failures only. Not asked where the client has gone before there is a status.
   * What holds units or places gets it back when the response has ended, all others when its head goes out. Where it
   * fails, that is reported and the charge stays.
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
 * Checks what `rateLimit` is given, when it is mounted.
 *
 * @returns the limiter, whose units are checked by the compiler up to here, and at run time from here on.
 * @throws HeadgateError `option-invalid`, naming what was given and what would be right.
 */
export function checkMount<Caller, Unit extends string>(
  limiter: Limiter<Caller, Unit>,
  options: unknown,
): Limiter<Caller> {
  if (!isLimiter(limiter)) throw new HeadgateError("option-invalid", noLimiter(limiter));
  if (typeof options !== "object" || options === null) {
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
  checkStatus(status);
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
    `rateLimit takes a limiter that createLimiter has made, and then { caller }: it got ${describe(given)}. ` +
    "Options of other libraries: docs/moving-over.md."
  );
}

function checkStatus(status: unknown): void {
  if (
    status === undefined ||
    (Number.isInteger(status) && (status as number) >= 400 && (status as number) <= 599)
  )
    return;
  throw new HeadgateError(
    "option-invalid",
    `status of rateLimit must be a whole number from 400 to 599, got ${describe(status)}. For a redirect, answer in onRefused.`,
  );
}

/** What became of a request: `undefined` where it passes undecided, `"left"` where its client has gone. */
export type Decided = Admission | Known | "left" | undefined;

/**
 * Decides a request without ever throwing: a fault of the guard's own must not become a fault of the endpoint's.
 * What fails is reported, and the request is counted among the unidentified. `undefined` means that not even that
 * could be decided (the limiter is closed): the request passes, and the report says so.
 *
 * @param hasLeft whether the client has gone: then what fails, such as the address of nobody, is no failure
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
      const looking = within("caller and cost", options.lookupMs, Promise.all([lookup, cost, id]));
      return admitLater(limiter, looking, hasLeft);
    }
    const admission = admit(limiter, lookup, cost, id);
    if (!(admission instanceof Promise)) return admission;
    return admission.catch((error: unknown) => admitFaulty(limiter, error, hasLeft));
  } catch (error) {
    // A lookup that nobody waits for any more must not end the process when it fails.
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

/** @throws HeadgateError `lookup-failed` where it takes too long. */
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

/** What `idempotency` says. One that fails is reported: without an id, the request is charged as any other. */
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
      // The caller is known all the same: a wrong fingerprint, or a store that keeps no ids, is no reason to forget who it is.
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
 * What `skip` and then `admitRequest` say, without a promise where neither makes one. Never throws.
 *
 * @param hasLeft as of `admitRequest`
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
  return skipped.then((isSo) => (isSo ? undefined : admitRequest(limiter, given, options, hasLeft)));
}

/** Whether the user's `skip` says so. One that fails skips nothing: a fault must not open the gate. */
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
    // Only `true` skips: what was forgotten to be returned does not open the gate either.
    if (isThenable(answer))
      return within("skip", lookupMs, answer).then((skipped) => skipped === true, failed);
    return answer === true;
  } catch (error) {
    return failed(error);
  }
}

/**
 * Whether an `OPTIONS` request is a browser's question whether another may be sent at all (CORS): it is not that request.
 *
 * @param requestedMethod its `Access-Control-Request-Method`. To be read of such requests alone: reading costs.
 */
export function isPreflight(requestedMethod: string | null | undefined): boolean {
  return requestedMethod !== null && requestedMethod !== undefined;
}
