/** Express. Callers with a signed token (JWT) are counted by account, all others by address. `npm install jose`. */
import express from "express";
import { createLimiter } from "headgate";
import { admissionOf, rateLimit } from "headgate/express";
import { bearerIdentity, type Identified, identify } from "headgate/identity";

const limiter = createLimiter<Identified>({
  name: "chat",
  layers: [
    { name: "user", key: ({ key }) => key, limits: "5/minute; 60/hour" },
    { name: "ip", key: ({ ip }) => ip, limits: "30/minute" }, // whatever identity callers claim
  ],
});

const whoIs = identify({
  // With an identity provider: { jwks: "https://issuer.example/.well-known/jwks.json", issuer, audience }
  verified: bearerIdentity({
    key: new TextEncoder().encode(process.env.TOKEN_SECRET), // at least 32 bytes
    audience: "example",
  }),
  unverifiedHeader: "X-User-Id", // can be forged, so it counts separately, as user:…, never as account:…
});

const app = express();

app.get(
  "/",
  rateLimit(limiter, {
    caller: ({ socket, headers }) => whoIs({ peer: socket.remoteAddress, headers }),
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
