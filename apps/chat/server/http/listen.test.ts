import { createServer, type Server } from "node:http";
import { connect, createServer as createSocketServer, type Socket } from "node:net";
import { freePort } from "@headgate/test-servers/free-port.ts";
import { afterEach, expect, test } from "vitest";
import { type Listening, listen } from "./listen.ts";

const running: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of running.splice(0)) await close();
});

async function serve(server: Server, port: number): Promise<Listening> {
  const listening = await listen(server, { host: "127.0.0.1", port });
  running.push(() => {
    server.closeAllConnections();
    return listening.close();
  });
  return listening;
}

const answering = (text: string) => createServer((_request, response) => response.end(text));

test("one of several servers that ask for a port at the same moment gets it, and the port is free after that one is closed", async () => {
  const port = await freePort();
  const starts = await Promise.allSettled(
    ["a", "b", "c", "d"].map((name) => listen(answering(name), { host: "127.0.0.1", port })),
  );
  const listening = starts.filter((start) => start.status === "fulfilled").map(({ value }) => value);
  expect(listening).toHaveLength(1);
  for (const start of starts) {
    if (start.status === "rejected")
      expect(start.reason.message).toMatch(/^PORT: \d+ on 127\.0\.0\.1 is in use/);
  }
  const url = listening[0]?.url ?? "";
  const answers = await Promise.all(Array.from({ length: 40 }, async () => (await fetch(url)).text()));
  expect(new Set(answers).size).toBe(1);
  await listening[0]?.close();
  await expect(fetch(url)).rejects.toThrow();
  expect((await serve(answering("next"), port)).url).toBe(`http://localhost:${port}`);
});

test("a port that another program uses is not shared", async () => {
  const other = createSocketServer();
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  running.push(() => new Promise((resolve) => other.close(() => resolve())));
  const { port } = other.address() as { port: number };
  await expect(listen(answering("mine"), { host: "127.0.0.1", port })).rejects.toThrow(
    /is in use by another program/,
  );
  // Nothing is kept of the attempt either.
  await running.splice(0)[0]?.();
  await serve(answering("mine"), port);
});

test("answers requests from before it was closed, and accepts no new ones", async () => {
  let answer = () => {};
  const server = createServer((_request, response) => {
    answer = () => response.end("done");
    response.flushHeaders();
  });
  const { url, close } = await listen(server, { host: "127.0.0.1", port: 0 });
  const asked = await fetch(url);
  const isClosed = close();
  await expect(fetch(url)).rejects.toThrow();
  answer();
  expect(await asked.text()).toBe("done");
  server.closeIdleConnections();
  await isClosed;
});

test.runIf(process.platform === "linux")(
  "closes also while another program is connected to the name that holds the port",
  async () => {
    const port = await freePort();
    const { close } = await listen(answering("mine"), { host: "127.0.0.1", port });
    const socket = connect({ path: `\0headgate-chat 127.0.0.1 ${port}` });
    const isGone = new Promise((resolve) => socket.once("close", resolve));
    await new Promise((resolve) => socket.once("connect", resolve));
    await close();
    await isGone;
  },
);

test.runIf(process.platform === "linux")(
  "takes several new connections in a turn of the event loop",
  async () => {
    const most = 128;
    let turns = 0;
    let taken = 0;
    const server = createServer();
    server.on("connection", () => {
      taken += 1;
    });
    const { url } = await serve(server, 0);
    const port = Number(new URL(url).port);
    const sockets: Socket[] = Array.from({ length: most }, () => connect({ host: "127.0.0.1", port }));
    // The kernel accepts all of them, and Node none, because this turn of its event loop has not ended.
    const startedMs = performance.now();
    while (performance.now() - startedMs < 200);
    while (taken < most) {
      turns += 1;
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(turns).toBeLessThan(most / 2);
    for (const socket of sockets) socket.destroy();
  },
);
