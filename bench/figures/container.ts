import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createLimiter, type OutageOption } from "headgate";
import { refusal } from "headgate/http";

/** The options of a container. */
export interface ContainerOptions {
  readonly store: string;
  readonly limits: string;
  readonly outage: OutageOption;
  readonly timeouts: { storeMs: number };
  /** Whether the container waits for its store before it listens. */
  readonly awaitsStore: boolean;
}

/**
 * One container of fleet.ts: an endpoint with a limit. It listens on a free port of the loopback address,
 * prints the port on standard output, and exits when its standard input ends.
 *
 * Argument: the container's options as JSON.
 */
const { awaitsStore, store, timeouts, limits, outage }: ContainerOptions = JSON.parse(
  process.argv[2] ?? "{}",
);
const limiter = createLimiter<string>({
  name: "chat",
  layers: [{ name: "user", key: (user) => user, limits, outage }],
  store,
  timeouts,
  // Outages are expected here, so do not log them.
  onError: () => {},
  onOutage: () => {},
});

if (awaitsStore) await limiter.ready({ timeoutMs: 60_000 });

const server = createServer(async (request, response) => {
  const admission = await limiter.admit(String(request.headers["x-user"]));
  if (admission.admitted) {
    response.end("served\n");
    return;
  }
  const { status, headers, body } = refusal(admission);
  response.writeHead(status, headers).end(body);
});
server.listen(0, "127.0.0.1");
await once(server, "listening");
process.stdout.write(`${(server.address() as AddressInfo).port}\n`);

process.stdin.resume();
await once(process.stdin, "end");
server.close();
server.closeAllConnections();
await limiter.close();
