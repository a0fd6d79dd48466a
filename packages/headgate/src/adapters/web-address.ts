import type { AddressSource } from "../http/address/address.ts";
import { addressSourceOf, type NodeSource } from "./node-address.ts";

/**
 * A value that contains the peer's address. Runtimes pass it to a handler after the request; frameworks pass it as the
 * environment.
 */
interface Connection {
  /** Set by Bun's server. */
  requestIP?: (request: Request) => { address: string } | null;
  /** Set by Deno's info object. */
  remoteAddr?: { hostname?: string; path?: string };
  /** Set by SvelteKit's event. */
  getClientAddress?: () => string;
  /** Set by `@hono/node-server`. */
  incoming?: NodeSource;
  /** Set for Bun and `@hono/node-server` if the environment also has other values. */
  server?: Connection;
}

/** @param connections the values that came with the request; those without a peer are ignored */
export function webSourceOf(request: Request, connections: readonly unknown[]): AddressSource {
  const { headers } = request;
  for (const connection of connections) {
    if (typeof connection !== "object" || connection === null) continue;
    const peer = peerIn(connection, request);
    if (peer !== null) return { peer, headers };
  }
  return { peer: null, headers };
}

function peerIn(connection: Connection, request: Request): string | null | undefined {
  const { incoming, remoteAddr, server } = connection;
  if (incoming?.socket !== undefined) return addressSourceOf(incoming).peer;
  if (typeof connection.requestIP === "function") return textOf(connection.requestIP(request)?.address);
  if (typeof connection.getClientAddress === "function") return textOf(connection.getClientAddress());
  // A Unix socket has a path instead of a host.
  if (typeof remoteAddr === "object")
    return remoteAddr.path === undefined ? remoteAddr.hostname : "127.0.0.1";
  return typeof server === "object" && server !== null ? peerIn(server, request) : null;
}

/** A Worker's bindings to other services seem to have every method, but return a different type. */
function textOf(address: unknown): string | undefined {
  return typeof address === "string" ? address : undefined;
}
