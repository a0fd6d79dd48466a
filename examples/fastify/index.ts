/** Fastify 5. `node index.ts`, then send six requests within a minute. */
import { fastify } from "fastify";
import { createLimiter } from "headgate";
import { admissionOf, clientAddress, rateLimit } from "headgate/fastify";

const limiter = createLimiter({
  name: "chat",
  layers: [{ name: "ip", key: (ip: string) => ip, limits: "5/minute; 60/hour" }],
});

const guard = rateLimit(limiter, { caller: clientAddress });

const app = fastify();

app.get("/health", async () => "well\n"); // cheap, so not guarded

// To guard all routes: app.addHook("onRequest", guard)
app.get("/", { onRequest: guard }, async (request) => {
  const left = admissionOf(request)?.tightest?.remaining;
  return `an expensive answer; ${left} more at once\n`;
});

const origin = await app.listen({ port: Number(process.env.PORT ?? 3000), host: "127.0.0.1" });
console.log(`Listening on ${origin}`);
