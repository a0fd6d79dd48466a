import type { ServerResponse } from "node:http";
import type { Context, Env, MiddlewareHandler, Next } from "hono";
import type { Admission } from "../core/admission.ts";
import { admitRequest, checkMount, type GuardOptions, isPreflight, isSkipped } from "../http/admit.ts";
import { type ClientAddress, createClientAddress } from "../http/client-address.ts";
import { admissionIn, type Decision, isDecided, readingsOf } from "../http/decisions.ts";
import { endIfFailed, endWithBody } from "../http/ending.ts";
import { checkFieldOptions, type Fields, rateLimitFields } from "../http/fields.ts";
import type { Refusal } from "../http/refusal.ts";
import { refuseRequest } from "../http/refusing.ts";
import type { Limiter } from "../limiter.ts";
import { withFields } from "./fetch.ts";
import { endWithResponse, writeFieldsWithHead } from "./node-response.ts";
import { fieldsBeside } from "./shared-fields.ts";
import { webSourceOf } from "./web-address.ts";

/** What `rateLimit` puts into the context: `c.get("admission")`. */
export interface RateLimitVariables {
  /** Absent where the request was skipped. */
  admission: Admission | undefined;
}

/** Written on the context: a map with weak keys costs the garbage collector as much as the rest of the guard. */
const decisionsKey = Symbol("headgate.decisions");

interface Guarded {
  [decisionsKey]?: Decision[];
}

type GuardedContext = Context<{ Variables: RateLimitVariables }> & Guarded;

/**
 * The client's address, from a context of Hono's: `rateLimit(limiter, { caller: clientAddress })`. The peer is known
 * under `@hono/node-server`, Bun and Deno. Elsewhere say what stands in front, as in
 * `clientAddress.with({ trust: "cloudflare-workers" })`, or read it: `clientAddress.with({ peer: (c) => getConnInfo(c).remote.address })`.
 * Forwarding headers count only from proxies in private networks, or from those that `trust` names.
 */
export const clientAddress: ClientAddress<[c: Pick<Context, "env" | "req">]> = createClientAddress({
  adapter: "hono",
  read: ({ req, env }) => webSourceOf(req.raw, [env]),
});

/**
 * The admission of a request that `rateLimit` let pass; `undefined` where it was skipped. `c.get("admission")` is the
 * same where one limiter guards the request.
 *
 * @param limiter whose, where several do; by default that of the guard nearest to the handler
 */
export function admissionOf<E extends Env, Caller>(
  c: Context<E>,
  limiter?: Limiter<Caller>,
): Admission | undefined {
  return admissionIn((c as Guarded)[decisionsKey], limiter);
}

/**
 * Guards the routes of a Hono app that it is mounted on. Refused requests get the `429` of `headgate/http`; all
 * others carry the `RateLimit` fields, as they stand when the handler returns, so that a refund made by the handler
 * shows. Streams pass untouched. CORS preflights are not counted.
 *
 * Where `@hono/node-server` serves the application, the fields are written with the head that goes out: middleware
 * finds them in `c.res` on other servers and in tests only. `admissionOf` tells the same everywhere.
 *
 * ```ts
 * app.post("/chat/message", rateLimit(limiter, { caller: (c) => ({ user: c.get("user"), ip: c.get("ip") }) }), handler);
 * ```
 */
export function rateLimit<Caller, E extends Env = Env>(
  limiter: Limiter<Caller>,
  options: GuardOptions<Caller, [c: Context<E>]>,
): MiddlewareHandler<{ Variables: RateLimitVariables }> {
  checkMount(limiter, options);
  const fieldOptions = checkFieldOptions(options);
  // The variables added here are more than the user's function knows of, never less.
  const asUsersKnow = (c: GuardedContext) => c as unknown as Context<E>;

  function conclude(
    admission: Admission | undefined,
    c: GuardedContext,
    next: Next,
  ): ReturnType<MiddlewareHandler> {
    if (admission === undefined) return next();
    const earlier = c[decisionsKey];
    const decisions = earlier ?? [];
    decisions.push({ limiter, admission });
    if (!admission.admitted) {
      const accept = c.req.header("accept");
      return Promise.resolve(
        refuse(c, refuseRequest(limiter, admission, [asUsersKnow(c)], accept, options, fieldOptions)),
      );
    }
    c[decisionsKey] = decisions;
    c.set("admission", admission);
    const outgoing = outgoingOf(c.env);
    const proceed = outgoing === undefined ? () => endingWith(admission, c, next) : next;
    if (outgoing !== undefined) endWithResponse(admission, outgoing);
    // Whoever was first writes for those that came after.
    if (earlier !== undefined) return proceed();
    const fields = () => rateLimitFields(readingsOf(decisions), fieldOptions);
    if (outgoing === undefined) return proceed().then(() => writeOn(c, fields()));
    writeFieldsWithHead(outgoing, fields);
    return proceed();
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
    const skipped = isSkipped(limiter, given, options);
    if (skipped === true) return next();
    const decision =
      skipped === false
        ? admitRequest(limiter, given, options)
        : skipped.then((isSo) => (isSo ? undefined : admitRequest(limiter, given, options)));
    return decision instanceof Promise
      ? decision.then((admission) => conclude(admission, c, next))
      : conclude(decision, c, next);
  };
}

function refuse(c: GuardedContext, { status, headers, body }: Refusal): Response {
  const content = c.req.method === "HEAD" ? null : body;
  // To be asked for `c.res` costs a context the quick way of answering, which an answer without anything does not.
  const prepared = c.body(null, status).headers;
  if (prepared.keys().next().done) return new Response(content, { status, headers });
  const fields = fieldsBeside({ getHeader: (name) => prepared.get(name) }, headers);
  // Hono would put what was there before in place of what is written now.
  for (const name in fields) c.header(name, undefined);
  return content === null ? c.body(null, status, fields) : c.body(content, status, fields);
}

/**
 * Node's own response, where the application is served by `@hono/node-server`: there fields cost least when they are
 * written with the head, since nothing has to make a `Headers` of what will be written out at once.
 */
function outgoingOf(env: unknown): ServerResponse | undefined {
  const outgoing = (env as { outgoing?: Partial<ServerResponse> } | undefined)?.outgoing;
  return typeof outgoing?.writeHead === "function" ? (outgoing as ServerResponse) : undefined;
}

/** Hono turns what a handler throws into a response of its own, which then ends the request. */
async function endingWith(admission: Admission, c: GuardedContext, next: Next): Promise<void> {
  await endIfFailed(admission, next);
  const response = c.res;
  const ending = endWithBody(admission, response, c.req.raw.signal);
  if (ending !== response) c.res = ending;
}

function writeOn(c: GuardedContext, fields: Fields): void {
  const response = c.res;
  const changed = withFields(response, fields);
  if (changed !== response) c.res = changed;
}
