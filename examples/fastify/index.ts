/** Fastify 5. `node index.ts`, then ask six times within a minute. */
import { fastify } from "fastify";
import { createLimiter } from "headgate";
import { admissionOf, rateLimit } from "headgate/fastify";
import { callerAddress } from "headgate/http";

const limiter = createLimiter<{ ip: string }>({
  name: "chat",
  layers: [{ name: "ip", key: ({ ip }) => ip, limits: "5/minute; 60/hour" }],
});

const guard = rateLimit(limiter, {
  caller: (request) => ({
    ip: callerAddress({ peer: request.socket.remoteAddress, headers: request.headers }),
  }),
});

const app = fastify();

app.get("/health", async () => "well\n"); // cheap, and therefore not guarded

// For all routes at once: app.addHook("onRequest", guard)
app.get("/", { onRequest: guard }, async (request) => {
  const left = admissionOf(request)?.tightest?.remaining;
  return `an expensive answer; ${left} more at once\n`;
});

const origin = await app.listen({ port: Number(process.env.PORT ?? 3000), host: "127.0.0.1" });
console.log(`Listening on ${origin}`);
