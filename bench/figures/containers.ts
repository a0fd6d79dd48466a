import { randomUUID } from "node:crypto";
import { startPostgres } from "@headgate/test-servers/postgres.ts";
import { startRedis } from "@headgate/test-servers/redis.ts";
import type { ContainerOptions } from "./container.ts";
import { type Fleet, startFleet } from "./fleet.ts";

/**
 * Measures how many requests of one user are admitted by containers behind a load balancer, by store. Prints the table
 * of docs/many-containers.md, in Markdown.
 *
 *     node --conditions=headgate-source bench/figures/containers.ts
 */
const requests = 200;
const sizes = [1, 3, 10];
const windowMs = 60_000;

interface Setup extends Partial<ContainerOptions> {
  readonly title: string;
  readonly store: string;
  /** An event after a number of requests. */
  readonly event?: { readonly after: number; happen(fleet: Fleet): Promise<void> };
}

const usual = {
  limits: "5/minute",
  outage: "local",
  // A long time limit, so that a small machine does not affect the figures.
  timeouts: { storeMs: 10_000 },
  awaitsStore: true,
} as const;

async function countAdmitted(setup: Setup, size: number): Promise<number> {
  const { title, event, ...options } = setup;
  const fleet = await startFleet({ ...usual, ...options }, size);
  try {
    const user = randomUUID();
    const startedMs = performance.now();
    const before = await fleet.send(user, event?.after ?? 0);
    await event?.happen(fleet);
    const after = await fleet.send(user, requests - (event?.after ?? 0));
    const tookMs = performance.now() - startedMs;
    // After a whole window, more requests may be admitted, so the count would mean nothing.
    if (tookMs >= windowMs)
      throw new Error(`${title}: took ${tookMs.toFixed(0)} ms, longer than the window.`);
    return before + after;
  } finally {
    await fleet.end();
  }
}

const redis = await startRedis();
const postgres = await startPostgres().catch(async (error: unknown) => {
  await redis.remove();
  throw error;
});

const replaced: Setup["event"] = { after: requests / 2, happen: (fleet) => fleet.replaceAll() };
// Within the quota, so that nobody has been refused before the event.
const redisStops: Setup["event"] = { after: 5, happen: () => redis.stop() };
const tenth = { policy: "local", instances: 10 } as const;
// The library's defaults, so a machine with fewer processors than containers affects these figures.
const asUsual = { timeouts: { storeMs: 250 } };
/** Without a warm-up, so that the figure includes the first decision's work. */
const unprepared = { ...asUsual, awaitsStore: false };

const setups: readonly Setup[] = [
  { title: "`memory://`", store: "memory://" },
  { title: "`redis://…`", store: redis.url },
  { title: "`postgres://…`", store: postgres.url },
  { title: "`memory://`, all containers replaced half-way", store: "memory://", event: replaced },
  { title: "`redis://…`, all containers replaced half-way", store: redis.url, event: replaced },
  { title: "`redis://…`, Redis stops after 5", store: redis.url, event: redisStops },
  {
    title: "`redis://…`, Redis stops after 5, with `instances: 10`",
    store: redis.url,
    outage: tenth,
    event: redisStops,
  },
  {
    title: "`50/hour` in `redis://…` that is down, with `instances: 10`",
    store: redis.url,
    limits: "50/hour",
    outage: tenth,
    event: { after: 0, happen: () => redis.stop() },
  },
  { title: "`redis://…`, 250 ms, `ready` awaited", store: redis.url, ...asUsual },
  { title: "`postgres://…`, 250 ms, `ready` awaited", store: postgres.url, ...asUsual },
  { title: "`redis://…`, 250 ms, connecting at the first request", store: redis.url, ...unprepared },
  { title: "`postgres://…`, 250 ms, connecting at the first request", store: postgres.url, ...unprepared },
];

try {
  console.log(`${requests} requests; Redis ${redis.version}, ${postgres.version}, Node ${process.version}\n`);
  console.log(`| admitted, containers: | ${sizes.join(" | ")} |`);
  console.log(`| --- | ${sizes.map(() => "---").join(" | ")} |`);
  for (const setup of setups) {
    const admitted: number[] = [];
    for (const size of sizes) {
      await redis.stop();
      await redis.start();
      admitted.push(await countAdmitted(setup, size));
    }
    console.log(`| ${setup.title} | ${admitted.join(" | ")} |`);
  }
} finally {
  await Promise.all([redis.remove(), postgres.remove()]);
}
