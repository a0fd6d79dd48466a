import type { IncomingMessage } from "node:http";
import type { Server, Socket } from "node:net";
import type { AddressSource } from "../http/address/address.ts";

/** What a request of Node's own server is read for. */
export type NodeSource = Pick<IncomingMessage, "socket" | "headers">;

/** The peer and the header fields of a request of Node's own server, whichever framework is over it. */
export function addressSourceOf({ socket, headers }: NodeSource): AddressSource {
  return { peer: socket.remoteAddress ?? unixPeerOf(socket), headers };
}

/** Only a program of this machine connects to a Unix socket. A client that has gone is not taken for one. */
function unixPeerOf(socket: Socket & { server?: Partial<Server> }): string | undefined {
  return typeof socket.server?.address?.() === "string" ? "127.0.0.1" : undefined;
}
