/** Hono, here on Node. `node index.ts`, then ask six times within a minute. */
import { serve } from "@hono/node-server";
import { getConnInfo } from "@hono/node-server/conninfo";
import { createLimiter } from "headgate";
import { rateLimit } from "headgate/hono";
import { callerAddress } from "headgate/http";
import { Hono } from "hono";

const limiter = createLimiter<{ ip: string }>({
  name: "chat",
  layers: [{ name: "ip", key: ({ ip }) => ip, limits: "5/minute; 60/hour" }],
});

const app = new Hono();

app.get("/health", (c) => c.text("well\n")); // cheap, and therefore not guarded

app.get(
  "/",
  rateLimit(limiter, {
    caller: (c) => ({
      ip: callerAddress({ peer: getConnInfo(c).remote.address, headers: c.req.raw.headers }),
    }),
  }),
  (c) => c.text(`an expensive answer; ${c.get("admission")?.tightest?.remaining} more at once\n`),
);

serve({ fetch: app.fetch, port: Number(process.env.PORT ?? 3000), hostname: "127.0.0.1" }, ({ port }) =>
  console.log(`Listening on http://127.0.0.1:${port}`),
);
