import type { Context, Env, MiddlewareHandler } from "hono";
import type { Admission } from "../core/admission.ts";
import { admitRequest, type GuardOptions, isPreflight, isSkipped } from "../http/admit.ts";
import { admissionIn, type Decision, isDecided, readingsOf } from "../http/decisions.ts";
import { checkFieldOptions, rateLimitFields } from "../http/fields.ts";
import { refuseRequest } from "../http/refusing.ts";
import type { Limiter } from "../limiter.ts";
import { withFields } from "./fetch.ts";
import { fieldsBeside } from "./shared-fields.ts";

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
 * ```ts
 * app.post("/chat/message", rateLimit(limiter, { caller: (c) => ({ user: c.get("user"), ip: c.get("ip") }) }), handler);
 * ```
 */
export function rateLimit<Caller, E extends Env = Env>(
  limiter: Limiter<Caller>,
  options: GuardOptions<Caller, Context<E>>,
): MiddlewareHandler<{ Variables: RateLimitVariables }> {
  const fieldOptions = checkFieldOptions(options);
  return async (c, next) => {
    // The variables added here are more than the user's function knows of, never less.
    const context = c as unknown as Context<E> & Guarded;
    const { method, url } = c.req;
    if (isPreflight(method, c.req.header("access-control-request-method"))) return next();
    if (isSkipped(limiter, context, options)) return next();
    const earlier = context[decisionsKey];
    if (isDecided(limiter, earlier, method, url)) return next();

    const decision = admitRequest(limiter, context, options);
    const admission = decision instanceof Promise ? await decision : decision;
    if (admission === undefined) return next();
    const decisions = earlier ?? [];
    decisions.push({ limiter, admission });
    if (!admission.admitted) {
      const accept = c.req.header("accept");
      const { status, headers, body } = refuseRequest(
        limiter,
        admission,
        context,
        accept,
        options,
        fieldOptions,
      );
      const fields = fieldsBeside({ getHeader: (name) => c.res.headers.get(name) }, headers);
      // Hono would put what was there before in place of what is written now.
      for (const name in fields) c.header(name, undefined);
      return method === "HEAD" ? c.body(null, status, fields) : c.body(body, status, fields);
    }
    context[decisionsKey] = decisions;
    c.set("admission", admission);
    await next();
    // Whoever was first writes for those that came after.
    if (earlier !== undefined) return;
    const response = c.res;
    const changed = withFields(response, rateLimitFields(readingsOf(decisions), fieldOptions));
    if (changed !== response) c.res = changed;
  };
}
