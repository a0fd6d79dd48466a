/** Hono, here on Node. `node index.ts`, then send six requests within a minute. */
import { serve } from "@hono/node-server";
import { createLimiter } from "headgate";
import { clientAddress, rateLimit } from "headgate/hono";
import { Hono } from "hono";

const limiter = createLimiter({
  name: "chat",
  layers: [{ name: "ip", key: (ip: string) => ip, limits: "5/minute; 60/hour" }],
});

const app = new Hono();

app.get("/health", (c) => c.text("well\n")); // cheap, so not guarded

app.get("/", rateLimit(limiter, { caller: clientAddress }), (c) =>
  c.text(`an expensive answer; ${c.get("admission")?.tightest?.remaining} more at once\n`),
);

serve({ fetch: app.fetch, port: Number(process.env.PORT ?? 3000), hostname: "127.0.0.1" }, ({ port }) =>
  console.log(`Listening on http://127.0.0.1:${port}`),
);
