import type { FastifyReply, FastifyRequest } from "fastify";
import type { Admission } from "../core/admission.ts";
import type { GuardOptions } from "../http/admit.ts";
import type { Limiter } from "../limiter.ts";
import { admissionOfIncoming, guardNode } from "./node-guard.ts";
import { fieldsBeside } from "./shared-fields.ts";

/** A hook of Fastify's: for `onRequest`, or for a later one where only that knows who is calling. */
export type FastifyHook = (request: FastifyRequest, reply: FastifyReply, done: () => void) => void;

/**
 * The admission of a request that `rateLimit` let pass; `undefined` where it was skipped.
 *
 * @param limiter whose, where several guard the request; by default that of the guard nearest to the handler
 */
export function admissionOf<Caller>(
  request: FastifyRequest,
  limiter?: Limiter<Caller>,
): Admission | undefined {
  return admissionOfIncoming(request.raw, limiter);
}

/**
 * Guards a Fastify application, a plugin's routes or one route, as a hook. Refused requests get the `429` of
 * `headgate/http`; all others carry the `RateLimit` fields, as they stand when the head goes out, also where the
 * handler hijacks the reply and writes to `reply.raw`. Streams pass untouched. CORS preflights are not counted.
 *
 * ```ts
 * app.post("/chat/message", { onRequest: rateLimit(limiter, { caller: (request) => ({ ip: request.ip }) }) }, handler);
 * ```
 */
export function rateLimit<Caller>(
  limiter: Limiter<Caller>,
  options: GuardOptions<Caller, FastifyRequest>,
): FastifyHook {
  const guard = guardNode(limiter, options);
  return (request, reply, done) => {
    guard<void>({
      request,
      incoming: request.raw,
      response: reply.raw,
      pass: done,
      refuse({ status, headers, body }) {
        // As bytes: to text, Fastify would add a charset that problems do not have.
        reply.code(status).headers(fieldsBeside(reply, headers)).send(Buffer.from(body));
      },
    });
  };
}
