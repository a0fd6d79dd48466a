import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/**
 * What happens to connections. `open`: data passes in both directions. `swallow`: requests pass but answers do not, and
 * new connections hang. `cut`: the next request passes, but once the server has answered, the connection breaks without
 * that answer, and new connections fail until the mode changes.
 */
export type NetworkMode = "open" | "swallow" | "cut";

/** A network between a client and a server that a test can break. */
export interface BreakableNetwork {
  readonly port: number;
  mode: NetworkMode;
  /** How many answers have been lost by a cut. */
  readonly cuts: number;
  /** Breaks every connection. */
  drop(): void;
  close(): Promise<void>;
}

/**
 * Starts a breakable network on a free port of the loopback address.
 *
 * @param serverPort the server's port on the loopback address
 */
export async function startNetwork(serverPort: number): Promise<BreakableNetwork> {
  const pairs = new Set<readonly [Socket, Socket]>();
  let mode: NetworkMode = "open";
  let cuts = 0;

  function drop(): void {
    for (const pair of pairs) for (const socket of pair) socket.destroy();
    pairs.clear();
  }

  const server = createServer((client) => {
    if (mode === "cut") {
      client.destroy();
      return;
    }
    const upstream = connect(serverPort, "127.0.0.1");
    const pair = [client, upstream] as const;
    pairs.add(pair);
    for (const [socket, other] of [pair, [upstream, client] as const]) {
      socket.setNoDelay(true);
      socket.on("error", () => {});
      socket.on("close", () => {
        pairs.delete(pair);
        other.destroy();
      });
    }
    client.on("data", (request) => upstream.write(request));
    upstream.on("data", (answer) => {
      if (mode === "open") client.write(answer);
      if (mode !== "cut") return;
      cuts += 1;
      drop();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");

  return {
    port: (server.address() as AddressInfo).port,
    get mode() {
      return mode;
    },
    set mode(next) {
      mode = next;
    },
    get cuts() {
      return cuts;
    },
    drop,
    async close() {
      const closed = once(server, "close");
      server.close();
      drop();
      await closed;
    },
  };
}
