/** Express, 4 or 5. `node index.ts`, then send six requests within a minute. */
import express from "express";
import { createLimiter } from "headgate";
import { admissionOf, clientAddress, rateLimit } from "headgate/express";

const limiter = createLimiter({
  name: "chat",
  layers: [{ name: "ip", key: (ip: string) => ip, limits: "5/minute; 60/hour" }],
});

const app = express();

app.get("/health", (_request, response) => {
  response.send("well\n"); // cheap, so not guarded
});

app.get("/", rateLimit(limiter, { caller: clientAddress }), (request, response) => {
  const left = admissionOf(request)?.tightest?.remaining;
  response.send(`an expensive answer; ${left} more at once\n`);
});

const server = app.listen(Number(process.env.PORT ?? 3000), "127.0.0.1", () => {
  const address = server.address();
  if (typeof address === "object") console.log(`Listening on http://127.0.0.1:${address?.port}`);
});
