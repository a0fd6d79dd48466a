import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type RedisServer, startRedis } from "../../test-servers/redis.ts";
import type { Admission, Admitted } from "../core/admission.ts";
import { createLimiter, type Limiter } from "../limiter.ts";
import { redisStore } from "../stores/redis/index.ts";

const limitMs = 250;
/** What a busy machine may add to the time limit before this test calls it a hang. */
const graceMs = 250;

let server: RedisServer;
let store: ReturnType<typeof redisStore>;
let limiter: Limiter<string>;

beforeEach(async () => {
  server = await startRedis();
  store = redisStore(server.url);
  await store.check();
  limiter = createLimiter<string>({
    layers: [
      { name: "user", key: (user) => user, limits: "5/hour; 1000 tokens/hour sliding-window" },
      { name: "all", key: () => "all", limits: "100000/hour" },
    ],
    store,
    storeTimeoutMs: limitMs,
    onError: () => {},
    onOutage: () => {},
  });
});

afterEach(async () => {
  await limiter.close();
  await store.close();
  await server.remove();
});

/** Decides one request, and holds the guard to its promise: never a rejection, never a hang. */
async function admit(user: string, tokens = 1): Promise<Admission> {
  const before = performance.now();
  const admission = await limiter.admit(user, { cost: { tokens } });
  expect(performance.now() - before).toBeLessThan(limitMs + graceMs);
  return admission;
}

/** Sends requests until something is so, as traffic does. */
async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 15_000;
  while (!(await holds())) {
    if (performance.now() > deadline)
      throw new Error(`${what}: not within 15 s, ${JSON.stringify(limiter.status())}`);
    await admit("traffic");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const isOpen = () => until("The store is left alone", () => limiter.status().state === "open");
const isBack = () => {
  const caughtUp = ({ state, waiting } = limiter.status()) => state === "closed" && waiting === 0;
  return until("The store decides again and has been told everything", () => caughtUp());
};

async function left(user: string): Promise<number[]> {
  const peek = await limiter.peek(user);
  expect(peek.shared).toBe(true);
  return peek.limits.filter(({ layer }) => layer === "user").map(({ remaining }) => remaining);
}

describe("a Redis server that fails", () => {
  it("by a crash: decided here meanwhile, told afterwards", async () => {
    expect((await admit("alice")).shared).toBe(true);
    await server.crash();
    await isOpen();
    const admitted: boolean[] = [];
    for (let n = 0; n < 7; n += 1) admitted.push((await admit("bob", 10)).admitted);
    expect(admitted).toEqual([true, true, true, true, true, false, false]);
    await server.start();
    await isBack();
    expect(await left("bob")).toEqual([0, 950]);
    expect((await admit("bob")).admitted).toBe(false);
  }, 60_000);

  it("by freezing: nobody waits longer than the time limit, and late answers are taken back", async () => {
    const first = (await admit("alice", 100)) as Admitted;
    process.kill(server.pid, "SIGSTOP");
    try {
      const answers = await Promise.all(Array.from({ length: 7 }, () => admit("bob", 10)));
      expect(answers.filter(({ admitted }) => admitted)).toHaveLength(5);
      await first.settle({ tokens: 30 });
      await isOpen();
    } finally {
      process.kill(server.pid, "SIGCONT");
    }
    await isBack();
    await until("What was charged late is taken back", async () => (await left("bob"))[1] === 950);
    expect(await left("bob")).toEqual([0, 950]);
    await until("What was settled is settled", async () => (await left("alice"))[1] === 970);
    expect(await left("alice")).toEqual([4, 970]);
  }, 60_000);

  it("at writing, when it is full: those that would be charged are decided here, and are told when it has room", async () => {
    server.command("config", "set", "maxmemory", "1");
    const admitted: boolean[] = [];
    for (let n = 0; n < 7; n += 1) admitted.push((await admit("carol", 10)).admitted);
    expect(admitted).toEqual([true, true, true, true, true, false, false]);
    server.command("config", "set", "maxmemory", "0");
    await isBack();
    expect(await left("carol")).toEqual([0, 950]);
  }, 60_000);

  it("at writing, when it has become a replica", async () => {
    await admit("dave");
    server.command("config", "set", "replica-serve-stale-data", "yes");
    server.command("replicaof", "127.0.0.1", "1");
    await isOpen();
    expect((await admit("dave")).admitted).toBe(true);
    server.command("replicaof", "no", "one");
    await isBack();
    expect(await left("dave")).toEqual([3, 998]);
  }, 60_000);
});
