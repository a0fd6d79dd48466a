import { createServer, type ListenOptions, type Server } from "node:net";
import type { ServerType } from "@hono/node-server";
import { StartError } from "../start-error.ts";

export interface ListenOn {
  host: string;
  /** 0 lets the system choose one. */
  port: number;
}

/**
 * How many sockets listen on the port, if the system allows several. In each turn of its event loop, Node accepts one
 * new connection from each socket. With a single socket, a busy service with turns of 20 ms would accept 50 connections
 * a second, and a request for /health would wait behind all earlier ones.
 */
const SOCKETS = 16;

/**
 * Above this number of waiting connections (511 by default), the kernel drops new ones, and clients try again after
 * seconds. The kernel may allow fewer.
 */
const backlog = 4_096;

/** A server that listens. */
export interface Listening {
  /** Such as `http://localhost:3000`. */
  url: string;
  /** Accepts no new connection from now on. @returns when the existing ones have ended */
  close(): Promise<void>;
}

/**
 * Listens on a port that no other process of this service and no other program uses.
 *
 * @param variables the prefix of the variables that the error names
 * @throws {StartError} that names the variable
 */
export async function listen(
  server: ServerType,
  { host, port }: ListenOn,
  variables: "METRICS" | "" = "",
): Promise<Listening> {
  const sockets: Server[] = [];
  const close = async () => void (await Promise.all(sockets.map(closed)));
  try {
    if (process.platform === "linux") sockets.push(...(await listenTogether(server as Server, host, port)));
    else sockets.push(await opened(server as Server, { host, port, backlog }));
  } catch (error) {
    throw new StartError(whyNotListening(error as NodeJS.ErrnoException, host, port, variables));
  }
  const isLocal = ["127.0.0.1", "0.0.0.0", "::", "::1", "localhost"].includes(host);
  const name = isLocal ? "localhost" : host.includes(":") ? `[${host}]` : host;
  return { url: `http://${name}:${portOf(server as Server)}`, close };
}

/** @returns everything that must be closed, the server first */
async function listenTogether(server: Server, host: string, port: number): Promise<Server[]> {
  const lock = port === 0 ? [] : [await holdPort(host, port)];
  try {
    await opened(server, { host, port, reusePort: true, backlog });
    // Connections of the other sockets belong to the server too.
    const others = Array.from({ length: SOCKETS - 1 }, () =>
      createServer(LIKE_HTTP, (socket) => void server.emit("connection", socket)),
    );
    const on = { host, port: portOf(server), reusePort: true, backlog };
    await Promise.all(others.map((other) => opened(other, on)));
    return [server, ...others, ...lock];
  } catch (error) {
    for (const one of lock) one.close();
    throw error;
  }
}

/** The options that `node:http` sets for its own server. */
const LIKE_HTTP = { allowHalfOpen: true, noDelay: true };

/**
 * Sockets share a port only if each of them allows it, but another process could then share it too. Two checks prevent
 * that. An abstract socket name, which the kernel frees when this process ends, excludes other processes of the service
 * on this network. A socket that does not share the port finds any other program.
 */
async function holdPort(host: string, port: number): Promise<Server> {
  // No data is sent over it. An open connection would prevent the service from stopping.
  const lock = await opened(
    createServer((socket) => void socket.destroy()),
    { path: `\0headgate-chat ${host} ${port}` },
  );
  try {
    await closed(await opened(createServer(), { host, port }));
    return lock;
  } catch (error) {
    lock.close();
    throw error;
  }
}

function opened(server: Server, on: ListenOptions): Promise<Server> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(on, () => {
      server.off("error", reject);
      resolve(server);
    });
  });
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

function whyNotListening(
  error: NodeJS.ErrnoException,
  host: string,
  port: number,
  variables: "METRICS" | "",
): string {
  const [portName, hostName] = variables === "METRICS" ? ["METRICS_PORT", "METRICS_HOST"] : ["PORT", "HOST"];
  if (error.code === "EADDRINUSE") {
    return `${portName}: ${port} on ${host} is in use by another program. Stop that program, or set ${portName} to another number.`;
  }
  if (error.code === "EACCES")
    return `${portName}: this user may not listen on ${port}. Set ${portName} to 1024 or above.`;
  if (error.code === "EADDRNOTAVAIL" || error.code === "ENOTFOUND") {
    return `${hostName}: ${host} is not an address of this machine. Use 127.0.0.1, or 0.0.0.0 for every address.`;
  }
  return `The service cannot listen on ${host} port ${port}: ${error.message}.`;
}
