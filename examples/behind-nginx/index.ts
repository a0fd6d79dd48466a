/** Node's own HTTP server behind nginx: see nginx.conf in this folder. `npm install jose` for the tokens. */
import { createServer } from "node:http";
import { createLimiter } from "headgate";
import { parseTrustProxy } from "headgate/http";
import { bearerIdentity, type Identified, identify } from "headgate/identity";
import { rateLimit } from "headgate/node";

const limiter = createLimiter<Identified>({
  name: "chat",
  layers: [
    // People who share an address do not block each other once they are signed in.
    { name: "user", key: ({ key }) => key, limits: "5/minute; 60/hour" },
    { name: "ip", key: ({ ip }) => ip, limits: "30/minute" },
  ],
});

const whoIs = identify({
  verified: bearerIdentity({ key: new TextEncoder().encode(process.env.TOKEN_SECRET), audience: "example" }),
  // nginx appends the address that it sees to X-Forwarded-For, so the last entry is true, whatever callers
  // send.
  trust: parseTrustProxy("nginx"),
});

const guard = rateLimit(limiter, {
  caller: ({ socket, headers }) => whoIs({ peer: socket.remoteAddress, headers }),
});

const server = createServer(
  guard((_request, response) => {
    response.end("an expensive answer\n");
  }),
);

// Listens on the loopback address, so that callers can reach it only through nginx.
server.listen(Number(process.env.PORT ?? 3000), "127.0.0.1", () => {
  const address = server.address();
  if (typeof address === "object") console.log(`Listening on http://127.0.0.1:${address?.port}`);
});
