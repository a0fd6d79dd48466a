import { openSync, writeSync } from "node:fs";
import { createInterface } from "node:readline";
import { Cluster, Redis } from "ioredis";
import { compileLimits } from "../headgate/src/core/limit-set.ts";
import type { Store } from "../headgate/src/core/store.ts";
import { postgresStore } from "../headgate/src/stores/postgres/index.ts";
import { redisStore } from "../headgate/src/stores/redis/index.ts";
import { record } from "./recording.ts";

/** What a recorder uses, and where it writes. */
export interface RecorderOptions {
  readonly kind: "redis" | "cluster" | "postgres";
  /** For a cluster, JSON: each node's port, and the port where it is reached. */
  readonly url: string;
  readonly places: readonly { readonly space: string; readonly key: string; readonly limits: string }[];
  readonly unit: string;
  readonly claims: boolean;
  readonly process: number;
  readonly seed: number;
  /** Gets a line of JSON before each call, and one after each answer. Nothing of it is lost when the process is killed. */
  readonly file: string;
}

/**
 * One of several processes that share a store, record every call, and may be killed at any moment. For each line
 * `[now, steps]` on its standard input it plays a round and answers `played`; for `"settle"` it answers `settled` once no call is under way.
 */
const options = JSON.parse(process.argv[2] ?? "") as RecorderOptions;
const { kind, url, process: number, seed, unit, claims } = options;
const file = openSync(options.file, "w");
let now = 0;
const clock = { now: () => now };

/** As the store makes a client from a URL. */
const careful = {
  commandTimeout: 5_000,
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
  enableOfflineQueue: false,
  retryStrategy: () => 20,
};

const open = {
  redis: () => {
    const client = new Redis(url, careful);
    client.on("error", () => {});
    return { store: () => redisStore(client, { clock }), ready: () => client.status === "ready" };
  },
  cluster: () => {
    const ports = JSON.parse(url) as [port: number, reachedAt: number][];
    const natMap = Object.fromEntries(
      ports.map(([own, port]) => [`127.0.0.1:${own}`, { host: "127.0.0.1", port }]),
    );
    const client = new Cluster(
      ports.map(([, port]) => ({ host: "127.0.0.1", port })),
      { natMap, redisOptions: careful, clusterRetryStrategy: () => 20 },
    );
    client.on("error", () => {});
    client.on("node error", () => {});
    return { store: () => redisStore(client, { clock }), ready: () => client.status === "ready" };
  },
  postgres: () => ({
    store: () => postgresStore(url, { clock, migrate: false, connections: 3 }),
    ready: () => true,
  }),
};
const { store: openStore, ready } = open[kind]();
let store: Store = openStore();

/** JSON has no infinity. The reader knows the limits of each partition. */
function write(line: object): void {
  const text = JSON.stringify(line, (key, value) => {
    if (key === "limits") return undefined;
    return value === Number.POSITIVE_INFINITY ? "∞" : value;
  });
  writeSync(file, `${text}\n`);
}

const recording = record({
  store: () => store,
  setting: {
    places: options.places.map((place) => ({ ...place, limits: compileLimits(place.space, place.limits) })),
    unit,
    claims,
  },
  process: number,
  seed,
  // Across slots, few answers depend on the order: with many calls under way, too many orders are possible.
  longestCallMs: kind === "cluster" ? 2_000 : 250,
  journal: {
    sent: (n, call) => write({ n, call }),
    ended: (n, at, outcome) => write({ n, at, outcome }),
  },
});

while (!ready()) await new Promise((resolve) => setTimeout(resolve, 10));
await store.check?.();
process.stdout.write("ready\n");
for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line) as "settle" | [now: number, steps: number];
  if (command === "settle") {
    await recording.settled();
    if (kind === "cluster") {
      // What is still to be taken back is taken back now.
      await store.close?.();
      store = openStore();
    }
    process.stdout.write("settled\n");
    continue;
  }
  now = command[0];
  await recording.round(now, command[1]);
  process.stdout.write("played\n");
}
process.exit(0);
