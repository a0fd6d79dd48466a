import type { Admission, Known, Refused } from "../core/admission.ts";
import { processWide } from "../core/copies.ts";
import { HeadgateError } from "../core/errors.ts";
import { reportTo } from "../core/for-adapters.ts";
import type { CountedCost, GuardCost } from "../core/guard-cost.ts";
import { isKnown } from "../core/known-request.ts";
import { type ClientAddress, createClientAddress } from "../http/address/client-address.ts";
import { addRateLimitFields, checkFieldOptions, type Fields, writeFields } from "../http/fields/fields.ts";
import { admitRequest, checkMount, type GuardOptions, isPreflight, isSkipped } from "../http/guard/admit.ts";
import {
  admissionIn,
  type Decision,
  failAsked,
  forget,
  hasPassed,
  hasSameName,
  isDecided,
  markGuarded,
  readingsOf,
  refundWithHead,
  reportEndedEarly,
  waitUntilOf,
} from "../http/guard/decisions.ts";
import { endIfFailed, endWhenLeft, endWithBody, isUpgraded } from "../http/guard/ending.ts";
import { refundsOf } from "../http/guard/refunding.ts";
import { askHook, hookFor, prepareRefusing, reportAnswer } from "../http/guard/refusing.ts";
import type { Limiter } from "../limiter/contract.ts";
import { webSourceOf } from "./web-address.ts";

/** A handler that takes a `Request` and returns a `Response`, as in Workers, Deno, Bun and many frameworks. */
export type FetchHandler<Rest extends unknown[] = [], Incoming extends Request = Request> = (
  request: Incoming,
  ...rest: Rest
) => Response | Promise<Response>;

const decisionsOf = /* @__PURE__ */ processWide("web-decisions", () => new WeakMap<Request, Decision[]>());

/**
 * Returns the client's address of a request. The arguments after the request know the peer if they are Bun's server,
 * Deno's info or SvelteKit's event. Elsewhere name the platform in front, as in `clientAddress.with({ trust:
 * "cloudflare-workers" })`. Forwarding headers count only from proxies in private networks, or from those that `trust`
 * names.
 *
 * ```ts
 * Bun.serve({ fetch: rateLimit(limiter, { caller: clientAddress })(handler) });
 * ```
 */
export const clientAddress: ClientAddress<[request: Request, ...rest: unknown[]]> = createClientAddress({
  adapter: "fetch",
  read: (request, ...rest) => webSourceOf(request, rest),
});

/**
 * Returns the admission of a request that `rateLimit` has admitted or refused; `undefined` if it was skipped.
 * Middleware in front of the guard can call this too, once the guard has decided.
 *
 * @param limiter the limiter whose admission to return, if several guard the request. Default: the limiter of the guard
 *   nearest to the handler.
 */
export function admissionOf<Caller, Unit extends string = string>(
  request: Request,
  limiter?: Limiter<Caller, Unit>,
): Admission<Unit> | undefined {
  if (typeof request?.headers?.get !== "function") failAsked("a Request", request);
  return admissionIn(decisionsOf.get(request), limiter);
}

/** A guard around a handler. */
export type FetchGuard<Incoming extends Request, Given extends readonly unknown[]> = <
  Rest extends [...Given, ...unknown[]],
  Actual extends Incoming = Incoming,
>(
  handler: FetchHandler<Rest, Actual>,
) => FetchHandler<Rest, Actual>;

/** Options of `rateLimit` for handlers that return a `Response`. */
export type WebGuardOptions<
  Caller,
  Given extends readonly unknown[],
  Costs extends GuardCost = GuardCost,
> = GuardOptions<Caller, Given, Given, Response, Costs>;

/** A response that several handlers make together, such as Next's `proxy` and a route. */
export interface JointResponse {
  /** The decisions of guards of earlier handlers, if these guards write fields. */
  decisions: Decision[] | undefined;
  /** Ends an admitted request with the response. */
  endWith(decision: Decision): void;
  /** Writes fields with the head. The function is called with the status of the head. */
  writeWithHead(fields: (status: number) => Fields): void;
}

/** The points in which a framework with handlers of this kind differs. */
export interface WebFramework {
  /** Whether a value thrown by a handler is an answer, such as a redirect, and not a failure. */
  isSignal(error: unknown): boolean;
  /** The status of the response to a value that a handler has thrown. */
  statusOf(error: unknown): number;
  /** Whether a handler's answer means that another handler will answer. */
  goesOn(answer: Response): boolean;
  /** The response that several handlers of the current request make together; `undefined` if it is not known. */
  jointResponse(): JointResponse | undefined;
}

const plain: WebFramework = {
  isSignal: () => false,
  statusOf: () => 500,
  goesOn: () => false,
  jointResponse: () => undefined,
};

/**
 * Guards a handler that takes a `Request` and returns a `Response`. Refused requests get the `429` of
 * `headgate/http` and never reach the handler. All other responses have the `RateLimit` fields, with their values
 * when the handler returns. Bodies and streams pass unchanged. CORS preflights are not counted.
 *
 * ```ts
 * const guard = rateLimit(limiter, { caller: (request) => ({ ip: request.headers.get("cf-connecting-ip") ?? "" }) });
 * export default { fetch: guard(async (request) => new Response("hello")) };
 * ```
 *
 * @throws HeadgateError `option-invalid`
 */
export function rateLimit<
  Caller,
  Incoming extends Request = Request,
  Given extends readonly unknown[] = [],
  Unit extends string = string,
  Costs extends GuardCost = GuardCost,
>(
  limiter: Limiter<Caller, Unit>,
  options: WebGuardOptions<Caller, [request: Incoming, ...given: Given], Costs> & CountedCost<Costs, Unit>,
): FetchGuard<Incoming, Given> {
  return guardFetch(limiter, options, plain);
}

/** Like `rateLimit`, for a framework that differs in some points. */
export function guardFetch<
  Caller,
  Incoming extends Request,
  Given extends readonly unknown[],
  Unit extends string,
>(
  typed: Limiter<Caller, Unit>,
  options: WebGuardOptions<Caller, [request: Incoming, ...given: Given]>,
  framework: WebFramework,
): FetchGuard<Incoming, Given> {
  const limiter = checkMount(typed, options);
  const fieldOptions = checkFieldOptions(options);
  const { refundWhen } = options;
  const refusalOf = prepareRefusing(limiter, options, fieldOptions);

  async function refuse(
    refused: Refused | Known,
    request: Request,
    given: [Incoming, ...Given],
  ): Promise<Response> {
    const hook = hookFor(options, refused);
    if (hook !== undefined) {
      const asked = askHook(limiter, hook, refused, given, framework.isSignal);
      const answer = asked instanceof Promise ? await asked : asked;
      if (isResponse(answer)) return answer;
      reportAnswer(limiter, refused, answer, "a Response");
    }
    const accept = request.headers.get("accept");
    const { status, headers, body } = refusalOf(refused, given, accept);
    return new Response(request.method === "HEAD" ? null : body, { status, headers });
  }

  /** Lets later handlers make the response. This guard writes the fields of their guards too. */
  function handOn(joint: JointResponse, decisions: Decision[]): void {
    const before = [...decisions];
    if (fieldOptions.fields !== false || fieldOptions.legacy) joint.decisions = decisions;
    joint.writeWithHead((status) => {
      refundWithHead(before, status);
      return addRateLimitFields({}, readingsOf(decisions), fieldOptions);
    });
  }

  function guard<Rest extends [...Given, ...unknown[]], Actual extends Incoming>(
    handler: FetchHandler<Rest, Actual>,
  ): FetchHandler<Rest, Actual> {
    return async (request, ...rest) => {
      const given = [request, ...rest] as unknown as [Incoming, ...Given];
      const { method, headers } = request;
      if (method === "OPTIONS" && isPreflight(headers.get("access-control-request-method")))
        return handler(request, ...rest);
      // Deno watches a connection only once the signal has been read, so read it before each wait too.
      const hasLeft = () => request.signal?.aborted === true;
      const skipped = isSkipped(limiter, given, options);
      if (skipped instanceof Promise) hasLeft();
      if (skipped === true || (skipped !== false && (await skipped))) return handler(request, ...rest);
      if (skipped !== false && hasLeft()) return nobody();
      const joint = framework.jointResponse();
      const own = decisionsOf.get(request);
      const decisions = own ?? joint?.decisions ?? [];
      const isSame = own === undefined ? hasSameName : undefined;
      if (isDecided(limiter, decisions, method, request.url, isSame)) return handler(request, ...rest);

      const asked = admitRequest(limiter, given, options, hasLeft);
      const admission = asked instanceof Promise ? await asked : asked;
      if (admission === undefined) return handler(request, ...rest);
      if (admission === "left") return nobody();
      if (isKnown(admission)) return refuse(admission, request, given);
      const isFirst = !hasPassed(decisions);
      const waitUntil = rest.map(waitUntilOf).find(Boolean);
      const decision = { limiter, admission, refunds: refundsOf(limiter, refundWhen, given), waitUntil };
      decisions.push(decision);
      decisionsOf.set(request, decisions);
      if (!admission.admitted) return refuse(admission, request, given);
      if (asked instanceof Promise && hasLeft()) {
        forget(decision);
        return nobody();
      }
      const stay = endWhenLeft(decision, request);
      const answer = await endIfFailed(decision, () => handler(request, ...rest), framework.statusOf);
      if (isUpgraded(answer)) {
        stay();
        return answer;
      }
      if (framework.goesOn(answer)) {
        if (joint !== undefined) {
          joint.endWith(decision);
          if (isFirst) handOn(joint, decisions);
          return answer;
        }
        if (admission.holds) reportEndedEarly(limiter);
      }
      refundWithHead([decision], answer.status);
      const response = endWithBody(decision, answer, request);
      // The first guard also writes the fields of later guards.
      return isFirst
        ? withFields(response, addRateLimitFields({}, readingsOf(decisions), fieldOptions))
        : response;
    };
  }
  return (handler) => {
    if (typeof handler !== "function") throw unhandled(limiter);
    return markGuarded(limiter, handler, guard(handler));
  };
}

/**
 * Returns the error of a guard that is called with a request, because it was passed to a runtime in place of a handler.
 */
function unhandled(limiter: object): HeadgateError {
  const fault = new HeadgateError(
    "guard-misplaced",
    "rateLimit guards a handler: rateLimit(limiter, options)(handler). Without one, every request fails.",
  );
  reportTo(limiter, fault);
  return fault;
}

/** Whether a value is a response, of any realm or polyfill. */
export function isResponse(answer: unknown): answer is Response {
  return (
    typeof answer === "object" &&
    answer !== null &&
    "status" in answer &&
    "headers" in answer &&
    "body" in answer
  );
}

/** Returns the response if the client has left: it is never read. */
export function nobody(): Response {
  return new Response(null, { status: 499 });
}

/** Returns the response with the fields added; a new response only if its headers cannot be changed. */
export function withFields(response: Response, fields: Fields): Response {
  try {
    writeFields(response.headers, fields);
    return response;
  } catch {
    if (response.status < 200) return response;
    const changed = new Response(response.body, response);
    writeFields(changed.headers, fields);
    return changed;
  }
}
