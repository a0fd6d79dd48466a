import type { FastifyReply, FastifyRequest } from "fastify";
import type { Admission } from "../core/admission.ts";
import { HeadgateError } from "../core/errors.ts";
import type { CountedCost, GuardCost } from "../core/guard-cost.ts";
import { type ClientAddress, createClientAddress } from "../http/address/client-address.ts";
import type { GuardOptions } from "../http/guard/admit.ts";
import type { Limiter } from "../limiter/contract.ts";
import { addressSourceOf, type NodeSource } from "./node-address.ts";
import { admissionOfIncoming, guardNode, type NodeFramework } from "./node-guard.ts";
import { hasBegun, watchSend } from "./node-response.ts";
import { fieldsBeside } from "./shared-fields.ts";

/** The arguments of the functions in the options of `rateLimit`. */
export type FastifyGiven = [request: FastifyRequest, reply: FastifyReply];

/** A Fastify hook: for `onRequest`, or for a later hook if the caller is only known there. */
export type FastifyHook = (request: FastifyRequest, reply: FastifyReply, done: () => void) => void;

/**
 * Returns the client's address of a Fastify request: `rateLimit(limiter, { caller: clientAddress })`. Forwarding
 * headers count only from proxies in private networks, or from those named by `clientAddress.with({ trust: "cloudflare"
 * })`. Fastify's own `trustProxy` is not used.
 */
export const clientAddress: ClientAddress<[request: { readonly raw: NodeSource }]> = createClientAddress({
  adapter: "fastify",
  read: ({ raw }) => addressSourceOf(raw),
});

/**
 * Returns the admission of a request that `rateLimit` has admitted or refused; `undefined` if it was skipped.
 * Middleware in front of the guard can call this too, once the guard has decided.
 *
 * @param limiter the limiter whose admission to return, if several guard the request. Default: the limiter of the guard
 *   nearest to the handler.
 */
export function admissionOf<Caller, Unit extends string = string>(
  request: FastifyRequest,
  limiter?: Limiter<Caller, Unit>,
): Admission<Unit> | undefined {
  return admissionOfIncoming(request?.raw, limiter, "Fastify's request", request);
}

/**
 * Guards a Fastify application, a plugin's routes or one route, as a hook. Refused requests get the `429` of
 * `headgate/http`. All other answers have the `RateLimit` fields, with their values when the head is sent, also if
 * the handler hijacks the reply and writes to `reply.raw`. Streams pass unchanged. CORS preflights are not counted.
 *
 * ```ts
 * app.post("/chat/message", { onRequest: rateLimit(limiter, { caller: (request) => ({ ip: request.ip }) }) }, handler);
 * ```
 */
export function rateLimit<Caller, Unit extends string = string, Costs extends GuardCost = GuardCost>(
  limiter: Limiter<Caller, Unit>,
  options: GuardOptions<Caller, FastifyGiven, FastifyGiven, unknown, Costs> & CountedCost<Costs, Unit>,
): FastifyHook {
  const guard = guardNode(fastify, limiter, options);
  return (request, reply, done) => {
    if (request.raw === undefined) throw misplaced();
    guard(request, reply, done);
  };
}

const fastify: NodeFramework<FastifyRequest, FastifyReply, () => void, void, FastifyGiven> = {
  incoming: (request) => request.raw,
  outgoing: (reply) => reply.raw,
  given: (request, reply) => [request, reply],
  pass: (_request, _reply, done) => done(),
  refuse({ status, headers, body }, _request, reply) {
    const beside = fieldsBeside(reply, headers);
    for (const name in beside) reply.header(keptNames.get(name) ?? name, beside[name]);
    // The body is already serialized. Without this serializer, Fastify would add a charset, which problem documents
    // must not have.
    reply.code(status).serializer(asItIs).send(body);
  },
  // After `hijack()`, Fastify does not wait for a response.
  leave: (_request, reply) => {
    if (!reply.sent && !hasBegun(reply.raw) && reply.raw.destroyed) reply.hijack();
  },
  answering(request, reply) {
    const hasSent = watchSend(reply);
    return {
      given: [request, reply],
      isAnswered(answer) {
        const isSent = hasSent();
        return isSent || reply.sent || hasBegun(reply.raw) || answer === reply;
      },
    };
  },
};

function misplaced(): HeadgateError {
  return new HeadgateError(
    "guard-misplaced",
    'rateLimit of headgate/fastify is a hook, not a plugin: app.addHook("onRequest", rateLimit(limiter, { caller })), or { onRequest } of a route.',
  );
}

/** Names in lower case, as Fastify stores them, so that it does not convert them for each refusal. */
const keptNames: ReadonlyMap<string, string> = new Map(
  [
    "Content-Type",
    "Cache-Control",
    "Vary",
    "Retry-After",
    "Access-Control-Expose-Headers",
    "RateLimit-Policy",
    "RateLimit",
  ].map((name) => [name, name.toLowerCase()]),
);

function asItIs(body: string): string {
  return body;
}
