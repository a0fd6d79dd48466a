import type { Context, Env, MiddlewareHandler } from "hono";
import type { Admission } from "../core/admission.ts";
import { admitRequest, type GuardOptions, isPreflight, isSkipped } from "../http/admit.ts";
import { rateLimitFields } from "../http/fields.ts";
import { refusal } from "../http/refusal.ts";
import type { Limiter } from "../limiter.ts";
import { exposeHeaders, fieldsBeside } from "./exposed-fields.ts";
import { withFields } from "./fetch.ts";

/** What `rateLimit` puts into the context: `c.get("admission")`. */
export interface RateLimitVariables {
  /** Absent where the request was skipped. */
  admission: Admission | undefined;
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
  const fieldOptions = { legacy: options.legacy ?? false };
  return async (c, next) => {
    // The variables added here are more than the user's function knows of, never less.
    const context = c as unknown as Context<E>;
    if (isPreflight(c.req.method, c.req.header("access-control-request-method"))) return next();
    if (isSkipped(limiter, context, options)) return next();

    const decision = admitRequest(limiter, context, options);
    const admission = decision instanceof Promise ? await decision : decision;
    if (admission === undefined) return next();
    if (!admission.admitted) {
      const { status, headers, body } = refusal(admission, fieldOptions);
      const fields = fieldsBeside(c.res.headers.get(exposeHeaders), headers);
      // Hono would put what was there before in place of what is written now.
      for (const name in fields) c.header(name, undefined);
      return c.req.method === "HEAD" ? c.body(null, status, fields) : c.body(body, status, fields);
    }
    c.set("admission", admission);
    await next();
    const response = c.res;
    const changed = withFields(response, rateLimitFields(admission, fieldOptions));
    if (changed !== response) c.res = changed;
  };
}
