/** Node's own HTTP server. `node index.ts`, then send six requests within a minute. */
import { createServer } from "node:http";
import { createLimiter } from "headgate";
import { clientAddress, rateLimit } from "headgate/node";

const limiter = createLimiter({
  name: "chat",
  layers: [{ name: "ip", key: (ip: string) => ip, limits: "5/minute; 60/hour" }],
});

const guard = rateLimit(limiter, { caller: clientAddress });

const server = createServer(
  guard((_request, response) => {
    response.end("an expensive answer\n");
  }),
);

server.listen(Number(process.env.PORT ?? 3000), "127.0.0.1", () => {
  const address = server.address();
  if (typeof address === "object") console.log(`Listening on http://127.0.0.1:${address?.port}`);
});
