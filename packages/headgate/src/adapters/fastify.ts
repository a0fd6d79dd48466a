import type { FastifyReply, FastifyRequest } from "fastify";
import type { Admission } from "../core/admission.ts";
import type { GuardOptions } from "../http/admit.ts";
import type { Limiter } from "../limiter.ts";
import { exposeHeaders, fieldsBeside } from "./exposed-fields.ts";
import { admissionOfIncoming, guardNode } from "./node-guard.ts";

/** A hook of Fastify's: for `onRequest`, or for a later one where only that knows who is calling. */
export type FastifyHook = (request: FastifyRequest, reply: FastifyReply, done: () => void) => void;

/** The admission of a request that `rateLimit` let pass; `undefined` where it was skipped. */
export function admissionOf(request: FastifyRequest): Admission | undefined {
  return admissionOfIncoming(request.raw);
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
        const before = reply.getHeader(exposeHeaders);
        // As bytes: to text, Fastify would add a charset that problems do not have.
        reply.code(status).headers(fieldsBeside(before, headers)).send(Buffer.from(body));
      },
    });
  };
}
