import { type RedisCluster, startCluster } from "@headgate/test-servers/redis.ts";
import { Cluster } from "ioredis";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { amountsOf } from "../../core/cost.ts";
import { compileLimits } from "../../core/limit-set.ts";
import type { Charge, Outcome } from "../../core/store.ts";
import type { IoredisClient } from "./commands.ts";
import { type RedisStore, redisStore } from "./index.ts";

const longestTestMs = 120_000;

let cluster: RedisCluster;
const clients: Cluster[] = [];
beforeAll(async () => {
  cluster = await startCluster();
  // A frozen node comes back: its replica does not replace it.
  for (const node of cluster.nodes) node.command("config", "set", "cluster-node-timeout", "60000");
  for (let n = 0; n < 3; n += 1) {
    const client = new Cluster(
      cluster.nodes.map(({ port }) => ({ host: "127.0.0.1", port })),
      {
        // With the options that the store sets on its own clients.
        redisOptions: {
          commandTimeout: 1_000,
          maxRetriesPerRequest: 0,
          autoResendUnfulfilledCommands: false,
        },
      },
    );
    client.on("error", () => {});
    client.on("node error", () => {});
    clients.push(client);
  }
}, longestTestMs);
afterAll(async () => {
  for (const client of clients) client.disconnect();
  await cluster?.remove();
});

/** Mulberry32: the same faults in every run, as long as calls come in the same order. */
function randomFrom(seed: number): (most: number) => number {
  let state = seed;
  return (most) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % most;
  };
}

const after = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

interface Weather {
  /** Of a hundred calls, this many have a fault. */
  faults: number;
  readonly seen: Record<string, number>;
  readonly late: Promise<unknown>[];
}

/** Loses requests and replies, delays them, and delivers some after the call was reported as failed. */
function storeIn(
  weather: Weather,
  client: Cluster,
  random: (most: number) => number,
  prefix: string,
): RedisStore {
  async function pass(send: () => Promise<unknown>): Promise<unknown> {
    if (random(100) >= weather.faults) return send();
    const kind = ["lost request", "lost reply", "late request", "slow request", "slow reply"][
      random(5)
    ] as string;
    weather.seen[kind] = (weather.seen[kind] ?? 0) + 1;
    if (kind === "slow request") await after(random(40));
    if (kind === "lost request") throw new Error("Connection is closed.");
    if (kind === "late request") {
      weather.late.push(
        after(random(60))
          .then(send)
          .catch(() => {}),
      );
      throw new Error("Command timed out");
    }
    const reply = await send();
    if (kind === "lost reply") throw new Error("read ECONNRESET");
    if (kind === "slow reply") await after(random(40));
    return reply;
  }
  const through: IoredisClient = {
    evalsha: (sha, count, ...words) => pass(() => client.evalsha(sha, count, ...words)),
    eval: (text, count, ...words) => pass(() => client.eval(text, count, ...words)),
    once: (event, listener) => client.once(event, listener),
    status: "ready",
    isCluster: true,
  };
  return redisStore(through, { prefix });
}

const plans = {
  user: "6/hour",
  ip: "9/hour fixed-window; 30/day",
  org: "12/hour token-bucket",
  room: "5 concurrent/10 minutes",
  model: "900 tokens/hour; 8/hour",
} as const;
type Space = keyof typeof plans;
const limitsOf = Object.fromEntries(
  Object.entries(plans).map(([space, limits]) => [space, compileLimits(space, limits)]),
) as Record<Space, ReturnType<typeof compileLimits>>;

function chargeOf(space: Space, key: string): Charge {
  const limits = limitsOf[space];
  return { space, key, limits, ...amountsOf(limits, space === "model" ? { tokens: 150 } : undefined) };
}

/** How often requests for each partition were admitted, and what is left of it. */
function createCount() {
  const counts = new Map<string, number>();
  const nameOf = ({ space, key }: Charge) => `${space} ${key}`;
  return {
    add(charges: readonly Charge[]) {
      for (const charge of charges) counts.set(nameOf(charge), (counts.get(nameOf(charge)) ?? 0) + 1);
    },
    /** For each limit, the remaining units if this many more requests had been charged. */
    left(charge: Charge, more = 0): number[] {
      const { limits, needs } = charge;
      const times = (counts.get(nameOf(charge)) ?? 0) + more;
      return limits.limits.map(
        ({ quota }, l) => quota - times * (needs[limits.groupOf[l] as number] as number),
      );
    },
  };
}

const histories = 8;
const requests = 140;

it.each(Array.from({ length: histories }, (_, seed) => seed))(
  "admits no more than the limits, and keeps only the charges of admitted requests, with lost, late and slow calls (history %i)",
  async (seed) => {
    const random = randomFrom(seed + 1);
    const weather: Weather = { faults: [0, 8, 20, 35][seed % 4] as number, seen: {}, late: [] };
    const prefix = `faults${seed}:`;
    const stores = clients.map((client) => storeIn(weather, client, random, prefix));
    const count = createCount();
    /** Requests of one slot that are pending or were not answered: they may have been charged or not. */
    const doubted = new Map<string, number>();
    const doubtsOf = ({ space, key }: Charge) => doubted.get(`${space} ${key}`) ?? 0;
    const doubt = (parts: readonly Charge[], by: number) => {
      const [only] = parts;
      if (parts.length === 1 && only !== undefined)
        doubted.set(`${only.space} ${only.key}`, doubtsOf(only) + by);
    };
    const charges = (Object.keys(plans) as Space[]).flatMap((space) =>
      ["a", "b"].map((key) => chargeOf(space, key)),
    );
    const seen = { admitted: 0, refused: 0, contended: 0, failed: 0 };
    let asked = 0;

    async function ask(): Promise<void> {
      asked += 1;
      const spaces = (Object.keys(plans) as Space[]).filter(() => random(5) < 3);
      const parts = spaces.map((space) => chargeOf(space, "ab"[random(2)] as string));
      if (parts.length === 0) return;
      if (random(2) === 0) parts.reverse();
      const holds = parts.some((part) => part.holds !== undefined);
      const hold = holds
        ? { rid: (seed * 10_000 + asked).toString(16).padStart(24, "0"), seq: 1 }
        : undefined;
      doubt(parts, 1);
      let outcome: Outcome;
      try {
        outcome = await (stores[random(stores.length)] as RedisStore).decide(parts, 0, false, hold);
      } catch {
        seen.failed += 1;
        return;
      }
      doubt(parts, -1);
      if (outcome.admitted) {
        seen.admitted += 1;
        count.add(parts);
        for (const part of parts) for (const left of count.left(part)) expect(left).toBeGreaterThanOrEqual(0);
        return;
      }
      seen[outcome.contended ? "contended" : "refused"] += 1;
      // A window's wait is only for units that will certainly stay.
      for (const [p, part] of parts.entries()) {
        const left = count.left(part, doubtsOf(part));
        for (const [l, { waitMs, holders }] of (outcome.readings[p] ?? []).entries()) {
          const need = part.needs[part.limits.groupOf[l] as number] as number;
          if (waitMs > 5_000 && !holders) expect(left[l]).toBeLessThan(need);
        }
      }
    }

    async function callers(): Promise<void> {
      while (asked < requests) {
        await ask();
        if (random(3) === 0) await after(random(8));
      }
    }

    /** Freezes a node for a while, or cuts every connection to it. */
    async function disasters(): Promise<void> {
      while (asked < requests) {
        await after(30 + random(60));
        const node = cluster.nodes[random(cluster.nodes.length)];
        if (node === undefined || weather.faults === 0) continue;
        if (random(2) === 0) {
          node.command("client", "kill", "type", "normal");
        } else {
          process.kill(node.pid, "SIGSTOP");
          // Some of these outlast the time limit of a call.
          await after(random(6) === 0 ? 1_200 : random(150));
          process.kill(node.pid, "SIGCONT");
        }
      }
    }

    await Promise.all([...Array.from({ length: 10 }, callers), disasters()]);
    if (weather.faults > 0) expect(seen.failed).toBeGreaterThan(0);
    weather.faults = 0;
    await Promise.all(weather.late);
    const quiet = redisStore(clients[0] as Cluster, { prefix });
    await vi.waitFor(
      async () => {
        for (const charge of charges) {
          const { readings } = await quiet.decide([charge], 0, true);
          const left = readings[0]?.map(({ remaining }) => remaining);
          const possible = Array.from({ length: doubtsOf(charge) + 1 }, (_, more) =>
            count.left(charge, more),
          );
          expect(possible, `${charge.space} ${charge.key}`).toContainEqual(left);
        }
      },
      { timeout: 15_000, interval: 100 },
    );
    expect(seen.admitted).toBeGreaterThan(2);
    expect(seen.refused + seen.contended).toBeGreaterThan(2);
    for (const store of stores) await store.close();
  },
  longestTestMs,
);
