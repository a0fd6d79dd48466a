import type { Server } from "node:http";
import type { AddressInfo } from "node:net";

/** @returns the port, once the server listens on the loopback address. */
export function listening(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });
}
