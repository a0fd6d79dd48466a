import fastifyRateLimit from "@fastify/rate-limit";
import { type FastifyInstance, fastify } from "fastify";
import { rateLimit } from "headgate/fastify";
import { answer, byHand, callerOf, headgate, layers, refusedBody } from "../callers.ts";

async function serve(guard?: (app: FastifyInstance) => Promise<void>): Promise<number> {
  const app = fastify();
  await guard?.(app);
  app.get("/", (_request, reply) => {
    reply.type("text/plain; charset=utf-8").send(answer);
  });
  return Number(new URL(await app.listen({ host: "127.0.0.1", port: 0 })).port);
}

export const bare = () => serve();

export const guarded = () =>
  serve(async (app) => {
    app.addHook("onRequest", rateLimit(headgate(), { caller: (request) => callerOf(request.headers) }));
  });

/** https://github.com/fastify/fastify-rate-limit#usage, one for each layer. */
export const usual = () =>
  serve(async (app) => {
    for (const { by, limit } of layers) {
      await app.register(fastifyRateLimit, {
        max: limit.quota,
        timeWindow: limit.windowMs,
        keyGenerator: (request) => callerOf(request.headers)[by],
      });
    }
  });

export const floor = () =>
  serve(async (app) => {
    const decide = byHand();
    app.addHook("onRequest", (request, reply, done) => {
      const { admitted, policy, rateLimit: state, retryAfter } = decide(callerOf(request.headers));
      reply.header("RateLimit-Policy", policy);
      reply.header("RateLimit", state);
      if (admitted) {
        done();
        return;
      }
      reply
        .code(429)
        .header("Retry-After", retryAfter)
        .type("application/problem+json")
        .send(Buffer.from(refusedBody));
    });
  });
