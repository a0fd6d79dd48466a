/** Koa. `node index.ts`, then ask six times within a minute. */
import { createLimiter } from "headgate";
import { callerAddress } from "headgate/http";
import { admissionOf, rateLimit } from "headgate/koa";
import Koa from "koa";

const limiter = createLimiter<{ ip: string }>({
  name: "chat",
  layers: [{ name: "ip", key: ({ ip }) => ip, limits: "5/minute; 60/hour" }],
});

const app = new Koa();

app.use(
  rateLimit(limiter, {
    caller: ({ req }) => ({ ip: callerAddress({ peer: req.socket.remoteAddress, headers: req.headers }) }),
    skip: ({ path }) => path === "/health", // cheap, and therefore not guarded
  }),
);

app.use((context) => {
  const left = admissionOf(context)?.tightest?.remaining;
  context.body = context.path === "/health" ? "well\n" : `an expensive answer; ${left} more at once\n`;
});

const server = app.listen(Number(process.env.PORT ?? 3000), "127.0.0.1", () => {
  const address = server.address();
  if (typeof address === "object") console.log(`Listening on http://127.0.0.1:${address?.port}`);
});
