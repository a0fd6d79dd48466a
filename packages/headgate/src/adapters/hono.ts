import type { ServerResponse } from "node:http";
import type { Context, Env, MiddlewareHandler, Next } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { Admission, Known, Refused } from "../core/admission.ts";
import type { CountedCost, GuardCost } from "../core/guard-cost.ts";
import { isKnown } from "../core/known-request.ts";
import { type ClientAddress, createClientAddress } from "../http/address/client-address.ts";
import { addRateLimitFields, checkFieldOptions, type Fields } from "../http/fields/fields.ts";
import { checkMount, type Decided, decideRequest, isPreflight } from "../http/guard/admit.ts";
import {
  admissionIn,
  type Decision,
  failAsked,
  forget,
  hasPassed,
  isDecided,
  readingsOf,
  refundWithHead,
  waitUntilOf,
} from "../http/guard/decisions.ts";
import { endIfFailed, endWhenLeft, endWithBody, isUpgraded } from "../http/guard/ending.ts";
import { refundsOf } from "../http/guard/refunding.ts";
import { askHook, type GuardAnswer, hookFor, prepareRefusing, reportAnswer } from "../http/guard/refusing.ts";
import type { Limiter } from "../limiter/contract.ts";
import { isResponse, nobody, type WebGuardOptions, withFields } from "./fetch.ts";
import { endWithResponse, isOver, writeFieldsWithHead } from "./node-response.ts";
import { fieldsBeside } from "./shared-fields.ts";
import { webSourceOf } from "./web-address.ts";

/** The variables that `rateLimit` sets in the context: `c.get("admission")`. */
export interface RateLimitVariables {
  /** Absent if the request was skipped. */
  admission: Admission | undefined;
}

/** Stored on the context: a `WeakMap` would cost the garbage collector as much as the rest of the guard. */
const decisionsKey = Symbol.for("headgate.decisions");

interface Guarded {
  [decisionsKey]?: Decision[];
}

type GuardedContext = Context<{ Variables: RateLimitVariables }> & Guarded;

/**
 * Returns the client's address of a Hono context: `rateLimit(limiter, { caller: clientAddress })`. The peer is known
 * under `@hono/node-server`, Bun and Deno. Elsewhere name the platform in front, as in `clientAddress.with({ trust:
 * "cloudflare-workers" })`, or read the peer yourself: `clientAddress.with({ peer: (c) => getConnInfo(c).remote.address
 * })`. Forwarding headers count only from proxies in private networks, or from those that `trust` names.
 */
export const clientAddress: ClientAddress<[c: Pick<Context, "env" | "req">]> = createClientAddress({
  adapter: "hono",
  read: ({ req, env }) => webSourceOf(req.raw, [env]),
});

/**
 * Returns the admission of a request that `rateLimit` has admitted or refused; `undefined` if it was skipped.
 * Middleware in front of the guard can call this too, after its `next()`. `c.get("admission")` is the same if only one
 * limiter guards the request.
 *
 * @param limiter the limiter whose admission to return, if several guard the request. Default: the limiter of the guard
 *   nearest to the handler.
 */
export function admissionOf<E extends Env, Caller, Unit extends string = string>(
  c: Context<E>,
  limiter?: Limiter<Caller, Unit>,
): Admission<Unit> | undefined {
  if (typeof c?.req !== "object") failAsked("Hono's context", c);
  return admissionIn((c as Guarded)[decisionsKey], limiter);
}

/**
 * Guards the routes of a Hono app that it is mounted on. Refused requests get the `429` of `headgate/http`. All
 * other responses have the `RateLimit` fields, with their values when the handler returns, so that they show a
 * refund made by the handler. Streams pass unchanged. CORS preflights are not counted.
 *
 * Under `@hono/node-server` the fields are written with the response head, so they are not in `c.res` when middleware
 * reads it; on other servers and in tests they are. `admissionOf` returns the same everywhere.
 *
 * ```ts
 * app.post("/chat/message", rateLimit(limiter, { caller: (c) => ({ user: c.get("user"), ip: c.get("ip") }) }), handler);
 * ```
 */
export function rateLimit<
  Caller,
  E extends Env = Env,
  Unit extends string = string,
  Costs extends GuardCost = GuardCost,
>(
  typed: Limiter<Caller, Unit>,
  options: WebGuardOptions<Caller, [c: Context<E>], Costs> & CountedCost<Costs, Unit>,
): MiddlewareHandler<{ Variables: RateLimitVariables }> {
  const limiter = checkMount(typed, options);
  const fieldOptions = checkFieldOptions(options);
  const { refundWhen } = options;
  const refusalOf = prepareRefusing(limiter, options, fieldOptions);
  // This type only adds variables that the user's function does not use; it never removes any.
  const asUsersKnow = (c: GuardedContext) => c as unknown as Context<E>;

  async function refuse(refused: Refused | Known, c: GuardedContext, given: [Context<E>]): Promise<Response> {
    const hook = hookFor(options, refused);
    if (hook !== undefined) {
      const asked = askHook(limiter, hook, refused, given);
      const answer = asked instanceof Promise ? await asked : asked;
      if (isResponse(answer)) return answer;
      reportAnswer(limiter, refused, answer, "a Response");
    }
    const accept = c.req.header("accept");
    return refuseContext(c, refusalOf(refused, given, accept));
  }

  function conclude(
    admission: Decided,
    hasWaited: boolean,
    c: GuardedContext,
    given: [Context<E>],
    next: Next,
  ): ReturnType<MiddlewareHandler> {
    if (admission === undefined) return next();
    if (admission === "left") return Promise.resolve(nobody());
    if (isKnown(admission)) return refuse(admission, c, given);
    const decisions = c[decisionsKey] ?? [];
    c[decisionsKey] = decisions;
    const isFirst = !hasPassed(decisions);
    const outgoing = outgoingOf(c.env);
    const waitUntil = outgoing === undefined ? waitUntilOf(executionContextOf(c)) : undefined;
    const decision = { limiter, admission, refunds: refundsOf(limiter, refundWhen, given), waitUntil };
    decisions.push(decision);
    c.set("admission", admission);
    if (!admission.admitted) return refuse(admission, c, given);
    if (hasWaited && hasLeft(c)) {
      forget(decision);
      return Promise.resolve(nobody());
    }
    if (outgoing === undefined) {
      return endingWith(decision, c, next).then(() => {
        // The first guard also writes the fields of later guards.
        if (isFirst) writeOn(c, addRateLimitFields({}, readingsOf(decisions), fieldOptions));
      });
    }
    endWithResponse(decision, outgoing);
    if (isFirst) {
      writeFieldsWithHead(outgoing, (status) => {
        refundWithHead(decisions, status);
        return addRateLimitFields({}, readingsOf(decisions), fieldOptions);
      });
    }
    return next();
  }

  return (c: GuardedContext, next) => {
    const given: [Context<E>] = [asUsersKnow(c)];
    const { method, url } = c.req;
    if (
      (method === "OPTIONS" && isPreflight(c.req.header("access-control-request-method"))) ||
      isDecided(limiter, c[decisionsKey], method, url)
    ) {
      return next();
    }
    const decision = decideRequest(limiter, given, options, () => hasLeft(c));
    return decision instanceof Promise
      ? decision.then((admission) => conclude(admission, true, c, given, next))
      : conclude(decision, false, c, given, next);
  };
}

function refuseContext(c: GuardedContext, { status: refused, headers, body }: GuardAnswer): Response {
  const status = refused as ContentfulStatusCode;
  const content = c.req.method === "HEAD" ? null : body;
  // Reading `c.res` makes Hono leave its fast path for responses. Creating an empty response does not.
  const prepared = c.body(null, status).headers;
  if (prepared.keys().next().done) return new Response(content, { status, headers });
  const fields = fieldsBeside({ getHeader: (name) => prepared.get(name) }, headers);
  // Otherwise Hono would replace the new headers with the previous ones.
  for (const name in fields) c.header(name, undefined);
  return content === null ? c.body(null, status, fields) : c.body(content, status, fields);
}

/**
 * Returns Node's own response, if the application runs on `@hono/node-server`. Writing the fields with its head is
 * cheapest, because it needs no `Headers` object.
 */
function outgoingOf(env: unknown): ServerResponse | undefined {
  const outgoing = (env as { outgoing?: Partial<ServerResponse> } | undefined)?.outgoing;
  return typeof outgoing?.writeHead === "function" ? (outgoing as ServerResponse) : undefined;
}

/** Hono throws if the runtime has no execution context. */
function executionContextOf(c: GuardedContext): unknown {
  try {
    return c.executionCtx;
  } catch {
    return undefined;
  }
}

function hasLeft(c: GuardedContext): boolean {
  const outgoing = outgoingOf(c.env);
  return outgoing === undefined ? c.req.raw.signal?.aborted === true : isOver(outgoing);
}

/** If a handler throws, Hono makes a response from the error, and that response ends the request. */
async function endingWith(decision: Decision, c: GuardedContext, next: Next): Promise<void> {
  const stay = endWhenLeft(decision, c.req.raw);
  await endIfFailed(decision, next, () => 500);
  const response = c.res;
  if (isUpgraded(response)) return stay();
  refundWithHead([decision], response.status);
  const ending = endWithBody(decision, response, c.req.raw);
  if (ending !== response) c.res = ending;
}

function writeOn(c: GuardedContext, fields: Fields): void {
  const response = c.res;
  const changed = withFields(response, fields);
  if (changed !== response) c.res = changed;
}
