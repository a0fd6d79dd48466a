import type { Admission } from "../core/admission.ts";
import type { CountedCost, GuardCost } from "../core/guard-cost.ts";
import { type ClientAddress, createClientAddress } from "../http/address/client-address.ts";
import type { Limiter } from "../limiter/contract.ts";
import {
  admissionOf as admissionOfRequest,
  type FetchGuard,
  type FetchHandler,
  guardFetch,
  type WebFramework,
  type WebGuardOptions,
} from "./fetch.ts";
import { responseNow, watchResponses } from "./next-response.ts";

/**
 * A route handler of Next's App Router: it takes a `NextRequest` (or a plain `Request`) and the context of the route
 * with its `params`. `proxy` (`middleware` before Next 16) is also a route handler, if it always returns a response.
 */
export type NextHandler<Rest extends unknown[], Incoming extends Request> = FetchHandler<Rest, Incoming>;

/**
 * Returns the client's address. Next does not report the peer, so name what is in front of it: `rateLimit(limiter, {
 * caller: clientAddress.with({ trust: "vercel" }) })` for a platform, or `{ trust: 1 }` for one proxy of your own.
 */
export const clientAddress: ClientAddress<[request: Pick<Request, "headers">]> = createClientAddress({
  adapter: "next",
  read: ({ headers }) => ({ peer: null, headers }),
  neverPeer: "vercel",
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
  return admissionOfRequest(request, limiter);
}

/**
 * Guards route handlers of Next's App Router. Refused requests get the `429` of `headgate/http` and never reach the
 * handler. All other responses have the `RateLimit` fields, with their values when the handler returns. Streams
 * pass unchanged, and so do the errors of `redirect()` and `notFound()`. CORS preflights are not counted.
 *
 * If Next runs on Node's own server, a guard of `proxy` writes its fields into the response of the route that follows,
 * and ends or refunds its admission with that response. If the route has a guard too, the response has the limits of
 * both.
 *
 * Next does not report the peer: use `clientAddress.with({ trust })` with the name of the platform or the number of
 * proxies. Create the limiter once, in a module, not in the handler.
 *
 * ```ts
 * export const POST = rateLimit(limiter, { caller: (request: NextRequest) => ({ user: request.cookies.get("user")?.value }) })(handler);
 * ```
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
  watchResponses();
  return guardFetch(limiter, options, next);
}

const next: WebFramework = {
  // `redirect()` and `notFound()` throw errors that Next recognizes by their digest:
  // `NEXT_REDIRECT;replace;/slow;307;`.
  isSignal: (error) => digestOf(error).startsWith("NEXT_"),
  statusOf(error) {
    const status = /^NEXT_(?:REDIRECT|HTTP_ERROR_FALLBACK);(?:.*;)?(\d{3});?$/.exec(digestOf(error))?.[1];
    return status === undefined ? 500 : Number(status);
  },
  // These headers are set by `NextResponse.next()` and `NextResponse.rewrite()`.
  goesOn: ({ headers }) => headers.has("x-middleware-next") || headers.has("x-middleware-rewrite"),
  jointResponse: responseNow,
};

function digestOf(error: unknown): string {
  const { digest } = (error ?? {}) as { digest?: unknown };
  return typeof digest === "string" ? digest : "";
}
