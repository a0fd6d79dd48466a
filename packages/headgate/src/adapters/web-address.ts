import type { AddressSource } from "../http/address/address.ts";
import { addressSourceOf, type NodeSource } from "./node-address.ts";

/** What runtimes pass to a handler with the request, or a framework as its environment, where the peer's address is in it. */
interface Connection {
  /** Bun's server. */
  requestIP?: (request: Request) => { address: string } | null;
  /** Deno's info. */
  remoteAddr?: { hostname?: string; path?: string };
  /** SvelteKit's event. */
  getClientAddress?: () => string;
  /** `@hono/node-server`. */
  incoming?: NodeSource;
  /** Bun and `@hono/node-server`, where something else is in the environment too. */
  server?: Connection;
}

/** @param connections whatever came with the request; those that tell no peer are passed over */
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
  // A Unix socket has a path in place of a host.
  if (typeof remoteAddr === "object")
    return remoteAddr.path === undefined ? remoteAddr.hostname : "127.0.0.1";
  return typeof server === "object" && server !== null ? peerIn(server, request) : null;
}

/** A Worker's bindings to other services seem to have every method, and answer by something else. */
function textOf(address: unknown): string | undefined {
  return typeof address === "string" ? address : undefined;
}
