/** Express, 4 or 5. `node index.ts`, then ask six times within a minute. */
import express from "express";
import { createLimiter } from "headgate";
import { admissionOf, rateLimit } from "headgate/express";
import { callerAddress } from "headgate/http";

const limiter = createLimiter<{ ip: string }>({
  name: "chat",
  layers: [{ name: "ip", key: ({ ip }) => ip, limits: "5/minute; 60/hour" }],
});

const app = express();

app.get("/health", (_request, response) => {
  response.send("well\n"); // cheap, and therefore not guarded
});

app.get(
  "/",
  rateLimit(limiter, {
    caller: (request) => ({
      ip: callerAddress({ peer: request.socket.remoteAddress, headers: request.headers }),
    }),
  }),
  (request, response) => {
    const left = admissionOf(request)?.tightest?.remaining;
    response.send(`an expensive answer; ${left} more at once\n`);
  },
);

const server = app.listen(Number(process.env.PORT ?? 3000), "127.0.0.1", () => {
  const address = server.address();
  if (typeof address === "object") console.log(`Listening on http://127.0.0.1:${address?.port}`);
});
