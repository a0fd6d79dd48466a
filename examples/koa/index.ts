/** Koa. `node index.ts`, then send six requests within a minute. */
import { createLimiter } from "headgate";
import { admissionOf, clientAddress, rateLimit } from "headgate/koa";
import Koa from "koa";

const limiter = createLimiter({
  name: "chat",
  layers: [{ name: "ip", key: (ip: string) => ip, limits: "5/minute; 60/hour" }],
});

const app = new Koa();

app.use(
  rateLimit(limiter, {
    caller: clientAddress,
    skip: ({ path }) => path === "/health", // cheap, so not guarded
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
