import { Readable } from "node:stream";
import { fastify } from "fastify";
import { admissionOf, rateLimit } from "../../src/adapters/fastify.ts";
import { type AdapterRoute, optionsFor, type ServedRoute } from "../../src/testing/index.ts";
import { fieldsOf } from "./bodies.ts";
import { servedBy } from "./listening.ts";

export async function serveFastify(route: AdapterRoute): Promise<ServedRoute> {
  const { guards, fieldsBefore, answer } = route;
  const app = fastify();
  app.addHook("onRequest", (_request, reply, done) => {
    reply.headers(fieldsBefore);
    done();
  });
  for (const { limiter, options } of guards) {
    app.addHook("onRequest", rateLimit(limiter, optionsFor(options, fieldsOf)));
  }
  app.all("/", async (request, reply) => {
    const { status, headers, body } = await answer(admissionOf(request), String(request.body ?? ""));
    reply.code(status).headers(headers);
    return reply.send(body === null || typeof body === "string" ? (body ?? undefined) : Readable.from(body));
  });
  await app.listen({ host: "127.0.0.1", port: 0 });
  return servedBy(app.server, () => app.close());
}
