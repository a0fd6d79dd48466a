import { Readable } from "node:stream";
import { type FastifyReply, type FastifyRequest, fastify } from "fastify";
import { admissionOf, rateLimit } from "../../headgate/src/adapters/fastify.ts";
import {
  type AdapterAnswer,
  type AdapterRoute,
  optionsFor,
  type ServedRoute,
} from "../../headgate/src/testing/index.ts";
import { fieldsOf } from "./bodies.ts";
import { servedBy } from "./listening.ts";

export async function serveFastify(route: AdapterRoute): Promise<ServedRoute> {
  const { guards, fieldsBefore, answer, observe } = route;
  const app = fastify();
  app.addHook("onRequest", (request, reply, done) => {
    reply.raw.once("close", () => observe(admissionOf(request)));
    reply.headers(fieldsBefore);
    done();
  });
  for (const { limiter, options } of guards) {
    app.addHook("onRequest", rateLimit(limiter, optionsFor(options, fieldsOf, answerRefused)));
  }
  app.all("/", async (request, reply) => {
    const { status, headers, body } = await answer(admissionOf(request), String(request.body ?? ""));
    reply.code(status).headers(headers);
    return reply.send(body === null || typeof body === "string" ? (body ?? undefined) : Readable.from(body));
  });
  await app.listen({ host: "127.0.0.1", port: 0 });
  return servedBy(app.server, () => app.close());
}

function answerRefused(answer: AdapterAnswer, _request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return reply.code(answer.status).headers(answer.headers).send(answer.body);
}
