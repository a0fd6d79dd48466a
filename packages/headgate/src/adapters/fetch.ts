import type { Admission } from "../core/admission.ts";
import { admitRequest, type GuardOptions, isPreflight, isSkipped } from "../http/admit.ts";
import { type Fields, rateLimitFields, writeFields } from "../http/fields.ts";
import { refusal } from "../http/refusal.ts";
import type { Limiter } from "../limiter.ts";

/** A handler of the web's own kind, as Workers, Deno, Bun and many frameworks take it. */
export type FetchHandler<Rest extends unknown[] = []> = (
  request: Request,
  ...rest: Rest
) => Response | Promise<Response>;

const admissions = new WeakMap<Request, Admission>();

/** The admission of a request that `rateLimit` let pass; `undefined` where it was skipped. */
export function admissionOf(request: Request): Admission | undefined {
  return admissions.get(request);
}

/**
 * Guards a handler that takes a `Request` and returns a `Response`. Refused requests get the `429` of
 * `headgate/http` and never reach the handler; all others carry the `RateLimit` fields, as they stand when the
 * handler returns. Bodies and streams pass untouched. CORS preflights are not counted.
 *
 * ```ts
 * const guard = rateLimit(limiter, { caller: (request) => ({ ip: request.headers.get("cf-connecting-ip") ?? "" }) });
 * export default { fetch: guard(async (request) => new Response("hello")) };
 * ```
 */
export function rateLimit<Caller>(
  limiter: Limiter<Caller>,
  options: GuardOptions<Caller, Request>,
): <Rest extends unknown[]>(handler: FetchHandler<Rest>) => FetchHandler<Rest> {
  const fieldOptions = { legacy: options.legacy ?? false };
  return (handler) =>
    async (request, ...rest) => {
      if (isPreflight(request.method, request.headers.get("access-control-request-method"))) {
        return handler(request, ...rest);
      }
      if (isSkipped(limiter, request, options)) return handler(request, ...rest);

      const admission = await admitRequest(limiter, request, options);
      if (admission === undefined) return handler(request, ...rest);
      if (!admission.admitted) {
        const { status, headers, body } = refusal(admission, fieldOptions);
        return new Response(request.method === "HEAD" ? null : body, { status, headers });
      }
      admissions.set(request, admission);
      const response = await handler(request, ...rest);
      return withFields(response, rateLimitFields(admission, fieldOptions));
    };
}

/** The same response with the fields; a new one only where the headers may not be changed. */
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
