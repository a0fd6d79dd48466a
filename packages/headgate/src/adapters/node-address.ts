import type { IncomingMessage } from "node:http";
import type { Server, Socket } from "node:net";
import type { AddressSource } from "../http/address/address.ts";

/** The parts of a Node request that are read here. */
export type NodeSource = Pick<IncomingMessage, "socket" | "headers">;

/** Returns the peer and the header fields of a request to Node's own server, for any framework on top of it. */
export function addressSourceOf({ socket, headers }: NodeSource): AddressSource {
  return { peer: socket.remoteAddress ?? unixPeerOf(socket), headers };
}

/**
 * Only a program on this machine can connect to a Unix socket. A client that has disconnected has no address either,
 * but is not treated as a Unix socket.
 */
function unixPeerOf(socket: Socket & { server?: Partial<Server> }): string | undefined {
  return typeof socket.server?.address?.() === "string" ? "127.0.0.1" : undefined;
}
