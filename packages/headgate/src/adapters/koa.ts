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
 * The client's address, from a context of Koa's: `rateLimit(limiter, { caller: clientAddress })`. Forwarding headers count
 * only from proxies in private networks, or from those named by `clientAddress.with({ trust: "cloudflare" })`. Koa's own `proxy` is not
 * asked.
 */
export const clientAddress: ClientAddress<[context: { readonly req: NodeSource }]> = createClientAddress({
  adapter: "koa",
  read: ({ req }) => addressSourceOf(req),
});

/**
 * The admission of a request that `rateLimit` has decided, admitted or refused; `undefined` where it was skipped. Also
 * for what is in front of the guard, once it has decided.
 *
 * @param limiter whose, where several guard the request; by default that of the guard nearest to the handler
 */
export function admissionOf<Caller, Unit extends string = string>(
  context: Pick<ParameterizedContext, "req">,
  limiter?: Limiter<Caller, Unit>,
): Admission<Unit> | undefined {
  return admissionOfIncoming(context.req, limiter);
}

/** What the options of `rateLimit` are given. */
export type KoaGiven<State, Custom> = [context: ParameterizedContext<NoInfer<State>, NoInfer<Custom>>];

/**
 * Guards what is mounted after it in a Koa application. Refused requests get the `429` of `headgate/http`; all others
 * carry the `RateLimit` fields, as they stand when the head goes out, errors that Koa answers included. Streams pass
 * untouched. CORS preflights are not counted.
 * What the application adds to its contexts is read where it is told of: `rateLimit<Caller, State, Custom>(…)`. Koa's
 * own type for that lets anything be read, so that a mistake would compile.
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
