import type { Admission } from "../core/admission.ts";
import type { GuardOptions } from "../http/admit.ts";
import { type ClientAddress, createClientAddress } from "../http/client-address.ts";
import type { Limiter } from "../limiter.ts";
import { admissionOf as admissionOfRequest, type FetchHandler, rateLimit as guardFetch } from "./fetch.ts";

/**
 * A route handler of Next's App Router: it takes a `NextRequest` (or a plain `Request`) and the context of the route
 * with its `params`. `proxy` (`middleware` before Next 16) is one too, if it always returns a response.
 */
export type NextHandler<Rest extends unknown[], Incoming extends Request> = FetchHandler<Rest, Incoming>;

/**
 * The client's address. Next tells no peer, so it takes a setting that says what stands in front:
 * `rateLimit(limiter, { caller: clientAddress.with({ trust: "vercel" }) })`, or `{ trust: 1 }` for one proxy of your own.
 */
export const clientAddress: ClientAddress<[request: Pick<Request, "headers">]> = createClientAddress({
  adapter: "next",
  read: ({ headers }) => ({ peer: null, headers }),
  neverPeer: "vercel",
});

/**
 * The admission of a request that `rateLimit` let pass; `undefined` where it was skipped.
 *
 * @param limiter whose, where several guard the request; by default that of the guard nearest to the handler
 */
export function admissionOf<Caller>(request: Request, limiter?: Limiter<Caller>): Admission | undefined {
  return admissionOfRequest(request, limiter);
}

/**
 * Guards route handlers of Next's App Router. Refused requests get the `429` of `headgate/http` and never reach the
 * handler; all others carry the `RateLimit` fields, as they stand when the handler returns. Streams pass untouched,
 * and so does what `redirect()` and `notFound()` throw. CORS preflights are not counted.
 *
 * Next tells no peer's address: take it from what the platform vouches for, with `callerAddress` and the name of the
 * platform or a hop count. A limiter is made once, in a module of its own, and never in the handler.
 *
 * ```ts
 * export const POST = rateLimit(limiter, { caller: (request: NextRequest) => ({ user: request.cookies.get("user")?.value }) })(handler);
 * ```
 */
export function rateLimit<Caller, Incoming extends Request = Request, Given extends readonly unknown[] = []>(
  limiter: Limiter<Caller>,
  options: GuardOptions<Caller, [request: Incoming, ...given: Given]>,
): <Rest extends [...Given, ...unknown[]], Actual extends Incoming = Incoming>(
  handler: NextHandler<Rest, Actual>,
) => NextHandler<Rest, Actual> {
  return guardFetch(limiter, options);
}
