import { createServer, type ServerResponse } from "node:http";
import { type AddressInfo, connect, Socket } from "node:net";
import { afterEach, expect, test, vi } from "vitest";
import { type ConnectionLimits, limitConnections } from "./connections.ts";

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

const BIG = "x".repeat(50_000_000);

/** Responses to `/wait` never end; one to `/big` is more than a socket holds. */
async function serve(limits: ConnectionLimits) {
  const server = createServer((request, response) => {
    if (request.url === "/big") response.end(BIG);
    else if (request.url !== "/wait") response.end("ok");
  });
  limitConnections(server, limits);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;

  /** Opens a connection, and sends requests for the paths. */
  async function open(...paths: string[]): Promise<{ socket: Socket; text: () => string }> {
    const accepted = new Promise((resolve) => server.once("connection", resolve));
    const socket = connect(port, "127.0.0.1");
    let text = "";
    socket.on("data", (data) => (text += data));
    socket.on("error", () => {});
    closers.push(() => socket.destroy());
    await accepted;
    const asked = paths.map(() => new Promise((resolve) => server.once("request", resolve)));
    for (const path of paths) socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    if (paths.length > 0) await asked[0];
    return { socket, text: () => text };
  }
  return { server, open };
}

const isClosed = async ({ socket }: { socket: Socket }) => {
  if (!socket.closed) await new Promise((resolve) => socket.once("close", resolve));
  return true;
};

test("above the limit, the connections that were silent for longest are closed, and none with a request in progress", async () => {
  const { open } = await serve({ mostQuiet: 2 });
  const working = await open("/wait");
  const first = await open();
  const second = await open();
  const third = await open();
  expect(await isClosed(first)).toBe(true);
  const asking = await open("/");
  expect(await isClosed(second)).toBe(true);
  await vi.waitFor(() => expect(asking.text()).toContain("200 OK"));
  // Its request is answered, so it is quiet, but for a shorter time than the third.
  await open();
  expect(await isClosed(third)).toBe(true);
  await open();
  expect(await isClosed(asking)).toBe(true);
  expect(working.socket.closed).toBe(false);
});

test("connections that come in the same turn of the event loop are counted one by one", async () => {
  const { server } = await serve({ mostQuiet: 2 });
  const sockets = Array.from({ length: 5 }, () => new Socket());
  for (const socket of sockets) server.emit("connection", socket);
  expect(sockets.map(({ destroyed }) => destroyed)).toEqual([true, true, true, false, false]);
  for (const socket of sockets) socket.destroy();
});

test("a connection with one of several requests in progress is not quiet", async () => {
  const { open } = await serve({ mostQuiet: 1 });
  const pipelining = await open("/", "/wait");
  await vi.waitFor(() => expect(pipelining.text()).toContain("200 OK"));
  const silent = await open();
  await open();
  expect(await isClosed(silent)).toBe(true);
  expect(pipelining.socket.closed).toBe(false);
});

test("a response that nobody reads is cut off", async () => {
  const { server, open } = await serve({ unreadMs: 200 });
  const responded = new Promise<ServerResponse>((resolve) =>
    server.once("request", (_request, response) => resolve(response)),
  );
  const { socket } = await open("/big");
  socket.pause();
  const response = await responded;
  await new Promise((resolve) => response.once("close", resolve));
  expect(response.writableFinished).toBe(false);
});

test("a slow response is not cut off, and an idle keep-alive connection is closed after its timeout", async () => {
  const { server, open } = await serve({ unreadMs: 100 });
  server.keepAliveTimeout = 100;
  const isOver = new Promise((resolve) => server.once("timeout", resolve));
  const waiting = await open("/wait");
  await isOver;
  const kept = await open("/");
  expect(await isClosed(kept)).toBe(true);
  expect(kept.text()).toContain("200 OK");
  expect(waiting.socket.closed).toBe(false);
});
