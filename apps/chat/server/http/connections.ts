import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";

export interface ConnectionLimits {
  /** The most connections without a request in progress. Default 2,000. */
  mostQuiet?: number;
  /** How long a client may read nothing of a response, in milliseconds. Default: two minutes. */
  unreadMs?: number;
}

/**
 * Limits the cost of idle connections. Above `mostQuiet` of them, the one that has been quiet for longest is closed. So
 * a flood of idle connections closes its own, and a client that sends a request at once gets its response. This also
 * works behind a proxy, where all connections come from one address.
 *
 * A response that its client does not read is cut off. While an answer is written, something is sent at least every
 * 15 s, so a client that reads is never cut off.
 */
export function limitConnections(
  server: Pick<Server, "on" | "setTimeout">,
  { mostQuiet = 2_000, unreadMs = 120_000 }: ConnectionLimits = {},
): void {
  /** The requests in progress of each connection. */
  const requests = new Map<Socket, number>();
  /** The connections without a request in progress, the longest quiet first. */
  const quiet = new Set<Socket>();

  function count(socket: Socket, change: 1 | -1): void {
    const open = requests.get(socket);
    if (open === undefined) return;
    requests.set(socket, open + change);
    if (open + change > 0) quiet.delete(socket);
    else quiet.add(socket);
  }

  function forget(socket: Socket): void {
    requests.delete(socket);
    quiet.delete(socket);
  }

  server.on("connection", (socket: Socket) => {
    requests.set(socket, 0);
    quiet.add(socket);
    socket.once("close", () => forget(socket));
    const [longest] = quiet;
    if (longest === undefined || quiet.size <= mostQuiet) return;
    // Its "close" comes in a later turn of the event loop, after more connections.
    forget(longest);
    longest.destroy();
  });
  server.on("request", ({ socket }: IncomingMessage, response: ServerResponse) => {
    count(socket, 1);
    response.once("close", () => count(socket, -1));
  });
  server.setTimeout(unreadMs, (socket) => {
    // If there is a request and nothing waits to be read, the service is slow, not the client.
    if (quiet.has(socket) || socket.writableLength > 0) socket.destroy();
  });
}
