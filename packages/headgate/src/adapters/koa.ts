import type { DefaultState, Middleware, ParameterizedContext } from "koa";
import type { Admission } from "../core/admission.ts";
import type { CountedCost, GuardCost } from "../core/guard-cost.ts";
import { type ClientAddress, createClientAddress } from "../http/address/client-address.ts";
import type { GuardOptions } from "../http/guard/admit.ts";
import type { Limiter } from "../limiter/contract.ts";
import { addressSourceOf, type NodeSource } from "./node-address.ts";
import { admissionOfIncoming, guardNode, type NodeFramework } from "./node-guard.ts";
import { hasBegun } from "./node-response.ts";
import { fieldsBeside } from "./shared-fields.ts";

/**
 * Returns the client's address of a Koa context: `rateLimit(limiter, { caller: clientAddress })`. Forwarding headers
 * count only from proxies in private networks, or from those named by `clientAddress.with({ trust: "cloudflare" })`.
 * Koa's own `proxy` is not used.
 */
export const clientAddress: ClientAddress<[context: { readonly req: NodeSource }]> = createClientAddress({
  adapter: "koa",
  read: ({ req }) => addressSourceOf(req),
});

/**
 * Returns the admission of a request that `rateLimit` has admitted or refused; `undefined` if it was skipped.
 * Middleware in front of the guard can call this too, once the guard has decided.
 *
 * @param limiter the limiter whose admission to return, if several guard the request. Default: the limiter of the guard
 *   nearest to the handler.
 */
export function admissionOf<Caller, Unit extends string = string>(
  context: Pick<ParameterizedContext, "req">,
  limiter?: Limiter<Caller, Unit>,
): Admission<Unit> | undefined {
  return admissionOfIncoming(context?.req, limiter, "Koa's context", context);
}

/** The arguments of the functions in the options of `rateLimit`. */
export type KoaGiven<State, Custom> = [context: ParameterizedContext<NoInfer<State>, NoInfer<Custom>>];

/**
 * Guards the middleware that is mounted after it in a Koa application. Refused requests get the `429` of
 * `headgate/http`. All other answers, also Koa's own errors, have the `RateLimit` fields, with their values when the
 * head is sent. Streams pass unchanged. CORS preflights are not counted.
 *
 * If your application adds properties to its contexts, give their types: `rateLimit<Caller, State, Custom>(…)`. Koa's
 * own type allows any property, so that a mistake would compile.
 *
 * ```ts
 * app.use(rateLimit(limiter, { caller: (context) => ({ ip: context.ip }) }));
 * ```
 */
export function rateLimit<
  Caller,
  State = DefaultState,
  Custom = object,
  Unit extends string = string,
  Costs extends GuardCost = GuardCost,
>(
  limiter: Limiter<Caller, Unit>,
  options: GuardOptions<Caller, KoaGiven<State, Custom>, KoaGiven<State, Custom>, unknown, Costs> &
    CountedCost<Costs, Unit>,
): Middleware<State, Custom> {
  const guard = guardNode(koa, limiter, options);
  return (context, next) => guard(context, context, next);
}

type KoaContext = Pick<ParameterizedContext, "req" | "res" | "status" | "set" | "body" | "respond">;

const koa: NodeFramework<KoaContext, KoaContext, () => unknown, unknown, [never]> = {
  incoming: (context) => context.req,
  outgoing: (context) => context.res,
  given: (context) => [context as never],
  pass: (_request, _response, next) => next(),
  refuse({ status, headers, body }, context) {
    context.status = status;
    context.set(fieldsBeside(context.res, headers));
    context.body = body;
  },
  leave: () => undefined,
  answering(context) {
    const { status, body } = context;
    return {
      given: [context as never],
      isAnswered: (answer) =>
        hasBegun(context.res) ||
        context.respond === false ||
        context.status !== status ||
        context.body !== body ||
        answer === context,
    };
  },
};
