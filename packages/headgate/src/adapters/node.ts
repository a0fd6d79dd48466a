import type { IncomingMessage, ServerResponse } from "node:http";
import type { Admission } from "../core/admission.ts";
import { HeadgateError } from "../core/errors.ts";
import { reportTo } from "../core/for-adapters.ts";
import type { CountedCost, GuardCost } from "../core/guard-cost.ts";
import { type ClientAddress, createClientAddress } from "../http/address/client-address.ts";
import type { GuardOptions } from "../http/guard/admit.ts";
import { markGuarded } from "../http/guard/decisions.ts";
import type { Limiter } from "../limiter/contract.ts";
import { addressSourceOf, type NodeSource } from "./node-address.ts";
import { admissionOfIncoming, guardNode, type NodeFramework } from "./node-guard.ts";
import { hasBegun, sendRefusal } from "./node-response.ts";

/** A listener for `http.createServer`. */
export type NodeListener = (request: IncomingMessage, response: ServerResponse) => unknown;

/**
 * Returns the client's address of a request to Node's own server: `rateLimit(limiter, { caller: clientAddress })`.
 * Forwarding headers count only from proxies in private networks, or from those named by `clientAddress.with({ trust:
 * "cloudflare" })`.
 */
export const clientAddress: ClientAddress<[request: NodeSource]> = createClientAddress({
  adapter: "node",
  read: addressSourceOf,
});

/**
 * Returns the admission of a request that `rateLimit` has admitted or refused; `undefined` if it was skipped.
 * Middleware in front of the guard can call this too, once the guard has decided.
 *
 * @param limiter the limiter whose admission to return, if several guard the request. Default: the limiter of the guard
 *   nearest to the handler.
 */
export function admissionOf<Caller, Unit extends string = string>(
  request: IncomingMessage,
  limiter?: Limiter<Caller, Unit>,
): Admission<Unit> | undefined {
  return admissionOfIncoming(request, limiter, "a request of Node's HTTP server", request);
}

/** The arguments of the functions in the options of `rateLimit`. */
export type NodeGiven = [request: IncomingMessage, response: ServerResponse];

/**
 * Guards a listener of Node's own HTTP server. Refused requests get the `429` of `headgate/http` and never reach
 * the listener. All other answers have the `RateLimit` fields, with their values when the head is sent. Bodies and
 * streams pass unchanged. CORS preflights are not counted.
 *
 * The guarded listener returns the listener's result, or a promise of it if the decision is asynchronous.
 *
 * ```ts
 * const guard = rateLimit(limiter, { caller: (request) => callerAddress({ peer: request.socket.remoteAddress, headers: request.headers }) });
 * createServer(guard((request, response) => response.end("hello"))).listen(3000);
 * ```
 */
export function rateLimit<Caller, Unit extends string = string, Costs extends GuardCost = GuardCost>(
  limiter: Limiter<Caller, Unit>,
  options: GuardOptions<Caller, NodeGiven, NodeGiven, unknown, Costs> & CountedCost<Costs, Unit>,
): (listener: NodeListener) => NodeListener {
  const guard = guardNode(node, limiter, options);
  return (listener, ...rest: unknown[]) => {
    // If a guard is passed to a server in place of a listener, it is called with a request that would never be answered.
    if (typeof listener !== "function") return answerMisplaced(limiter, rest[0] as ServerResponse);
    return markGuarded<NodeListener>(limiter, listener, (request, response) =>
      guard(request, response, listener),
    );
  };
}

function answerMisplaced(limiter: object, response: ServerResponse): never {
  const fault = new HeadgateError(
    "guard-misplaced",
    "rateLimit of headgate/node guards a listener: createServer(rateLimit(limiter, options)(listener)). Without one, every request fails.",
  );
  reportTo(limiter, fault);
  response.statusCode = 500;
  response.end();
  return undefined as never;
}

const node: NodeFramework<IncomingMessage, ServerResponse, NodeListener, unknown, NodeGiven> = {
  incoming: (request) => request,
  outgoing: (response) => response,
  given: (request, response) => [request, response],
  pass: (request, response, listener) => listener(request, response),
  refuse: (refused, request, response) => sendRefusal(response, request, refused),
  leave: () => undefined,
  answering: (request, response) => ({
    given: [request, response],
    isAnswered: (answer) => hasBegun(response) || answer === response,
  }),
};
