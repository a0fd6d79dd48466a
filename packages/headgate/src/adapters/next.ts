import type { Admission } from "../core/admission.ts";
import type { CountedCost, GuardCost } from "../core/guard-cost.ts";
import { type ClientAddress, createClientAddress } from "../http/address/client-address.ts";
import type { Limiter } from "../limiter/contract.ts";
import {
  admissionOf as admissionOfRequest,
  type FetchGuard,
  type FetchHandler,
  guardFetch,
  type Thrown,
  type WebGuardOptions,
} from "./fetch.ts";

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
 * The admission of a request that `rateLimit` has decided, admitted or refused; `undefined` where it was skipped. Also
 * for what is in front of the guard, once it has decided.
 *
 * @param limiter whose, where several guard the request; by default that of the guard nearest to the handler
 */
export function admissionOf<Caller, Unit extends string = string>(
  request: Request,
  limiter?: Limiter<Caller, Unit>,
): Admission<Unit> | undefined {
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
  return guardFetch(limiter, options, nextThrown);
}

/** `redirect()` and `notFound()` throw errors that Next knows by their digest: `NEXT_REDIRECT;replace;/slow;307;`. */
const nextThrown: Thrown = {
  isSignal: (error) => digestOf(error).startsWith("NEXT_"),
  statusOf(error) {
    const status = /^NEXT_(?:REDIRECT|HTTP_ERROR_FALLBACK);(?:.*;)?(\d{3});?$/.exec(digestOf(error))?.[1];
    return status === undefined ? 500 : Number(status);
  },
};

function digestOf(error: unknown): string {
  const { digest } = (error ?? {}) as { digest?: unknown };
  return typeof digest === "string" ? digest : "";
}
