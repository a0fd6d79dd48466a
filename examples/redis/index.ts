/** One quota for many processes, in Redis or Valkey. Install `ioredis` or `iovalkey`, and start two. */
import { createServer } from "node:http";
import { createLimiter } from "headgate";
import { callerAddress } from "headgate/http";
import { rateLimit } from "headgate/node";

const limiter = createLimiter<{ ip: string }>({
  name: "example", // keeps limiters in the same store separate
  layers: [{ name: "ip", key: ({ ip }) => ip, limits: "5/minute; 60/hour" }],
  store: process.env.REDIS_URL ?? "redis://127.0.0.1:6379",
});

const guard = rateLimit(limiter, {
  caller: ({ socket, headers }) => ({ ip: callerAddress({ peer: socket.remoteAddress, headers }) }),
});

const server = createServer(
  guard((_request, response) => {
    response.end("an expensive answer\n");
  }),
);

server.listen(Number(process.env.PORT ?? 3000), "127.0.0.1", () => {
  const address = server.address();
  if (typeof address === "object") console.log(`Listening on http://127.0.0.1:${address?.port}`);
});

process.once("SIGTERM", async () => {
  server.close();
  await limiter.close(); // sends pending changes, then closes the connection
});
