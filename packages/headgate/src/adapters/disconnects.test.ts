import { connect } from "node:net";
import { frameworks } from "@headgate/test-servers/frameworks/index.ts";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { Admission } from "../core/admission.ts";
import { createLimiter } from "../limiter/limiter.ts";
import { memoryStore } from "../stores/memory/index.ts";
import type { AdapterAnswer, AdapterCaller } from "../testing/index.ts";

const disconnectsEach = 1000;
const atOnce = 50;
const places = 40;

/** Returns Mulberry32 random numbers with a fixed seed, so that a failure can be repeated. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** A handler that answers immediately, late or never, in one or several pieces, or throws. */
async function answerSomehow(random: () => number): Promise<AdapterAnswer> {
  const kind = random();
  const headers = {};
  if (kind < 0.1) await new Promise(() => {});
  if (kind < 0.2) throw new Error("the handler's");
  if (kind < 0.4) await pause(random() * 5);
  if (kind < 0.7) return { status: 200, headers, body: "hello" };
  return { status: 200, headers, body: pieces(1 + Math.floor(random() * 10), random() * 3) };
}

async function* pieces(count: number, everyMs: number): AsyncGenerator<string> {
  for (let n = 0; n < count; n += 1) {
    yield "piece ".repeat(200);
    await pause(everyMs);
  }
}

const heads = [
  "GET / HTTP/1.1\r\nHost: a\r\nX-User: a\r\n\r\n",
  "GET / HTTP/1.1\r\nHost: a\r\nX-User: a\r\nConnection: close\r\n\r\n",
  "HEAD / HTTP/1.1\r\nHost: a\r\nX-User: a\r\n\r\n",
  "POST / HTTP/1.1\r\nHost: a\r\nX-User: a\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello",
  // An unfinished body and an unfinished head.
  "POST / HTTP/1.1\r\nHost: a\r\nX-User: a\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhel",
  "GET / HTTP/1.1\r\nHost: a\r\nX-User: a\r\n",
  // Two requests in one write.
  "GET / HTTP/1.1\r\nHost: a\r\nX-User: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\nX-User: a\r\n\r\n",
];

/** Connects, sends a request, and disconnects at a random time, with a normal close or a reset. */
function leave(port: number, random: () => number): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    const go = () => (random() < 0.5 ? socket.destroy() : socket.resetAndDestroy());
    const atMs = random() * 12;
    const isAtFirstByte = random() < 0.3;
    socket.once("connect", () => {
      socket.write(heads[Math.floor(random() * heads.length)] as string);
      if (random() < 0.2) go();
      else setTimeout(go, isAtFirstByte ? 100 : atMs);
    });
    socket.on("data", () => {
      if (isAtFirstByte) go();
    });
    socket.on("error", () => {});
    socket.once("close", () => resolve());
  });
}

describe("clients that disconnect at a random time", () => {
  // Frameworks log errors for sockets that close early.
  beforeAll(() => void vi.spyOn(console, "error").mockImplementation(() => {}));
  afterAll(() => void vi.restoreAllMocks());

  it("are 10,000 in all", () => expect(disconnectsEach * Object.keys(frameworks).length).toBe(10_000));

  it.each(Object.entries(frameworks))(
    `free their places with %s: ${disconnectsEach} disconnects`,
    async (_name, serve) => {
      const random = randomOf(2026);
      const store = memoryStore();
      const asked = {
        ...store,
        async decide(...question: Parameters<typeof store.decide>) {
          const [, , peek] = question;
          if (!peek && random() < 0.7) await pause(random() * 6);
          return store.decide(...question);
        },
      };
      const errors: unknown[] = [];
      const limiter = createLimiter<AdapterCaller>({
        name: "chat",
        layers: [{ name: "all", key: () => "all", limits: `${places} concurrent` }],
        store: asked as never,
        onError: (error) => errors.push(error),
      });
      const seen = { admitted: 0, refused: 0, handled: 0 };
      const { origin, close } = await serve({
        guards: [{ limiter, options: { caller: () => ({ user: "a", address: null }) } }],
        fieldsBefore: {},
        answer() {
          seen.handled += 1;
          return answerSomehow(random);
        },
        observe(admission: Admission | undefined) {
          if (admission !== undefined) seen[admission.admitted ? "admitted" : "refused"] += 1;
        },
      });
      const port = Number(new URL(origin).port);
      let left = disconnectsEach;
      let hasLeft = 0;
      const client = async () => {
        while (left > 0) {
          left -= 1;
          await leave(port, random);
          hasLeft += 1;
        }
      };
      await Promise.all(Array.from({ length: atOnce }, client));
      const remaining = async () =>
        (await limiter.peek({ user: "a", address: null })).limits.map((limit) => limit.remaining);
      await vi.waitFor(async () => expect(await remaining()).toEqual([places]), {
        timeout: 10_000,
        interval: 20,
      });
      await close();
      await limiter.close();
      expect(errors).toEqual([]);
      expect(hasLeft).toBe(disconnectsEach);
      // The test is only useful if many requests were decided and many reached the handler.
      expect(seen.handled).toBeGreaterThan(disconnectsEach / 10);
      expect(seen.admitted + seen.refused).toBeGreaterThan(disconnectsEach / 10);
    },
  );
});
