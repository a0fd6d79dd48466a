import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { ServedRoute } from "../../headgate/src/testing/index.ts";

/** Listens on a free port of the loopback address. */
export async function listening(listener: RequestListener): Promise<ServedRoute> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return servedBy(server);
}

/** @param server a server that is already listening */
export function servedBy(server: Server, close?: () => Promise<unknown>): ServedRoute {
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    async close() {
      server.closeAllConnections();
      await (close?.() ?? new Promise((resolve) => server.close(resolve)));
    },
  };
}
