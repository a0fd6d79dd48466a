import type { Admission } from "../core/admission.ts";
import { admitRequest, checkMount, type GuardOptions, isPreflight, isSkipped } from "../http/admit.ts";
import { type ClientAddress, createClientAddress } from "../http/client-address.ts";
import { admissionIn, type Decision, isDecided, markGuarded, readingsOf } from "../http/decisions.ts";
import { endIfFailed, endWithBody } from "../http/ending.ts";
import { checkFieldOptions, type Fields, rateLimitFields, writeFields } from "../http/fields.ts";
import { refuseRequest } from "../http/refusing.ts";
import type { Limiter } from "../limiter.ts";
import { webSourceOf } from "./web-address.ts";

/** A handler of the web's own kind, as Workers, Deno, Bun and many frameworks take it. */
export type FetchHandler<Rest extends unknown[] = [], Incoming extends Request = Request> = (
  request: Incoming,
  ...rest: Rest
) => Response | Promise<Response>;

const decisionsOf = new WeakMap<Request, Decision[]>();

/**
 * The client's address, from a request and what came with it: Bun's server, Deno's info or SvelteKit's event tell the
 * peer. Elsewhere say what stands in front, as in `clientAddress.with({ trust: "cloudflare-workers" })`. Forwarding
 * headers count only from proxies in private networks, or from those that `trust` names.
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
 * The admission of a request that `rateLimit` let pass; `undefined` where it was skipped.
 *
 * @param limiter whose, where several guard the request; by default that of the guard nearest to the handler
 */
export function admissionOf<Caller>(request: Request, limiter?: Limiter<Caller>): Admission | undefined {
  return admissionIn(decisionsOf.get(request), limiter);
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
 *
 * @throws HeadgateError `option-invalid`
 */
export function rateLimit<Caller, Incoming extends Request = Request, Given extends readonly unknown[] = []>(
  limiter: Limiter<Caller>,
  options: GuardOptions<Caller, [request: Incoming, ...given: Given]>,
): <Rest extends [...Given, ...unknown[]], Actual extends Incoming = Incoming>(
  handler: FetchHandler<Rest, Actual>,
) => FetchHandler<Rest, Actual> {
  checkMount(limiter, options);
  const fieldOptions = checkFieldOptions(options);

  function guard<Rest extends [...Given, ...unknown[]], Actual extends Incoming>(
    handler: FetchHandler<Rest, Actual>,
  ): FetchHandler<Rest, Actual> {
    return async (request, ...rest) => {
      const given = [request, ...rest] as unknown as [Incoming, ...Given];
      const { method, headers } = request;
      if (method === "OPTIONS" && isPreflight(headers.get("access-control-request-method")))
        return handler(request, ...rest);
      if (await isSkipped(limiter, given, options)) return handler(request, ...rest);
      const earlier = decisionsOf.get(request);
      if (isDecided(limiter, earlier, method, request.url)) return handler(request, ...rest);

      const admission = await admitRequest(limiter, given, options);
      if (admission === undefined) return handler(request, ...rest);
      const decisions = earlier ?? [];
      decisions.push({ limiter, admission });
      if (!admission.admitted) {
        const refused = refuseRequest(
          limiter,
          admission,
          given,
          headers.get("accept"),
          options,
          fieldOptions,
        );
        const body = method === "HEAD" ? null : refused.body;
        return new Response(body, { status: refused.status, headers: refused.headers });
      }
      decisionsOf.set(request, decisions);
      const answer = await endIfFailed(admission, () => handler(request, ...rest));
      const response = endWithBody(admission, answer, request.signal);
      // Whoever was first writes for those that came after.
      return earlier === undefined
        ? withFields(response, rateLimitFields(readingsOf(decisions), fieldOptions))
        : response;
    };
  }
  return (handler) => markGuarded(limiter, handler, guard(handler));
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
