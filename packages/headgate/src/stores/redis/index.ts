import { type Clock, checkClock } from "../../core/clock.ts";
import { HeadgateError } from "../../core/errors.ts";
import { type LoadingStore, load } from "../../core/loading.ts";
import { checkOptions } from "../../core/options.ts";
import { show } from "../../core/show.ts";
import type { Outcome, SharedText, Store } from "../../core/store.ts";
import { parseRedisUrl } from "./address.ts";
import { createAttempts } from "./attempts.ts";
import { commandsOf, type RedisClient, type RedisCommands } from "./commands.ts";
import { openConnection } from "./connect.ts";
import { latestMs } from "./encode.ts";
import { isOneSlot, partitionKeys, slotOf } from "./partition-id.ts";
import { adjustAcross, bySlot, inOneSlot } from "./slots.ts";
import { countProcesses, createTrips, readText, writeText } from "./trips.ts";

export type {
  GlideClient,
  IoredisClient,
  NodeRedisClient,
  NodeRedisCluster,
  RedisClient,
  UpstashClient,
} from "./commands.ts";

export interface RedisStoreOptions {
  /**
   * The text before every key; default `headgate:`, or the prefix in the URL. Programs that share a server but must not
   * share counts need different prefixes.
   */
  prefix?: string;
  /**
   * For tests only: the time to decide by, instead of the server's own. It is sent with every call, and keys then
   * stay up to an hour of real time longer than their windows.
   */
  clock?: Clock;
}

/** Counts in Redis or Valkey, shared by every process that uses the same server and prefix. */
export interface RedisStore extends Store {
  readonly name: "redis";
  readonly remote: true;
  countProcesses(...asked: Parameters<NonNullable<Store["countProcesses"]>>): Promise<number>;
  override(...asked: Parameters<NonNullable<Store["override"]>>): Promise<void>;
  readShared(...asked: Parameters<NonNullable<Store["readShared"]>>): Promise<SharedText | undefined>;
  writeShared(...asked: Parameters<NonNullable<Store["writeShared"]>>): Promise<boolean>;
  check(): Promise<void>;
  close(): Promise<void>;
}

const usualPrefix = "headgate:";

/**
 * Counts in Redis 6.2 or later, or in Valkey: standalone, behind Sentinels, or in a cluster.
 *
 * ```ts
 * redisStore("redis://localhost:6379");
 * redisStore(client); // of ioredis, iovalkey, redis (node-redis), @valkey/valkey-glide or @upstash/redis
 * redisStore(client, { prefix: "shop:" });
 * ```
 *
 * One call of one script decides a request over all its layers, by the server's clock. Requests of the same turn of
 * the event loop share a call, except the first one after a request that was alone in its turn. A store with a URL
 * connects when it is first used. `close` leaves your own client open.
 *
 * @throws HeadgateError `store-invalid` or `option-invalid`, with a sentence that says what would be right.
 */
export function redisStore(where: string | RedisClient, options: RedisStoreOptions = {}): RedisStore {
  checkOptions("redisStore", options, ["prefix", "clock"], "option-invalid");
  const { clock } = options;
  if (clock !== undefined) checkClock(clock);
  const opened = typeof where === "string" ? openUrl(where) : overClient(where);
  const { use, leaveReplica } = opened;
  const prefix = readPrefix(options.prefix ?? opened.prefix ?? usualPrefix);
  const keyOf = partitionKeys(prefix);
  const isSpread = opened.cluster && !isOneSlot(prefix);
  const ask = createTrips(use, leaveReplica, () => clock?.now() ?? Date.now());
  const attempts = createAttempts(ask);

  function time(): number {
    if (clock === undefined) return 0;
    const now = Math.floor(clock.now());
    if (now >= 1 && now <= latestMs) return now;
    throw new HeadgateError(
      "option-invalid",
      `The clock of a Redis store must return milliseconds from 1 to ${latestMs}, got ${now}.`,
    );
  }

  function keysOf(parts: readonly { readonly space: string; readonly key: string }[]): string[] {
    return parts.map(({ space, key }) => keyOf(space, key));
  }

  function keyed<Part extends { readonly space: string; readonly key: string }>(parts: readonly Part[]) {
    return parts.map((part) => ({ ...part, storedKey: keyOf(part.space, part.key) }));
  }

  const store: RedisStore & LoadingStore = {
    name: "redis",
    remote: true,
    claims: true,

    // Not `async`, to save one promise for each decision: every decision passes here.
    decide(charges, now, peek, hold, claim) {
      try {
        if (charges.length === 0) return Promise.resolve(nothing(now));
        const at = time();
        const claimed = peek || hold === undefined ? undefined : claim;
        if (isSpread) return attempts.decide(keyed(charges), at, peek, hold, claimed);
        return ask(0, {
          do: peek ? "peek" : "decide",
          at,
          keys: keysOf(charges),
          parts: charges,
          hold,
          claim: claimed,
        });
      } catch (error) {
        return Promise.reject(error);
      }
    },

    async adjust(adjustments, now) {
      if (adjustments.length === 0) return nothing(now);
      return adjustAcross(keyed(adjustments), time(), ask, isSpread ? bySlot : inOneSlot);
    },

    async reset(partitions) {
      const shares = isSpread ? bySlot(keyed(partitions)) : inOneSlot(keyed(partitions));
      await Promise.all(
        shares.map(({ slot, keys, parts }) =>
          ask(slot, { do: "reset", at: time(), keys, parts, attempts: isSpread }),
        ),
      );
    },

    async override(partitions, terms) {
      const shares = isSpread ? bySlot(keyed(partitions)) : inOneSlot(keyed(partitions));
      await Promise.all(
        shares.map(({ slot, keys, parts }) => ask(slot, { do: "override", at: time(), keys, parts, terms })),
      );
    },

    async countProcesses(limiter, process) {
      return countProcesses(await use(), keyOf("", `processes ${limiter}`), `${process} ${time()}`);
    },

    async readShared(limiter, version) {
      return readText(await use(), keyOf("", `shared ${limiter}`), version);
    },

    async writeShared(limiter, version, next) {
      return writeText(await use(), keyOf("", `shared ${limiter}`), version, next);
    },

    async check() {
      const key = keyOf("", "probe");
      await ask(isSpread ? slotOf(key) : 0, { do: "probe", at: 0, keys: [key], parts: [] });
    },

    async close() {
      await attempts.close();
      await opened.close();
    },

    ...(opened.load === undefined ? {} : { [load]: opened.load }),
  };
  return store;
}

function readPrefix(prefix: unknown): string {
  if (typeof prefix === "string") return prefix;
  throw new HeadgateError("option-invalid", `prefix must be text, got ${show(prefix)}.`);
}

function nothing(now: number): Outcome {
  return { admitted: true, now, readings: [], marks: [] };
}

interface Opened {
  readonly cluster: boolean;
  readonly prefix: string | undefined;
  load?(): Promise<unknown>;
  use(): RedisCommands | Promise<RedisCommands>;
  /** Call this when a replica has answered. Its address may point to the master by now. */
  leaveReplica(): void;
  close(): Promise<void>;
}

function openUrl(url: string): Opened {
  const address = parseRedisUrl(url);
  const { use, load, close } = openConnection(address);
  // The client that the store makes leaves a replica by itself.
  return { cluster: address.cluster, prefix: address.prefix, load, use, leaveReplica() {}, close };
}

/** Reconnect at most this often, ms: the client's address may be a replica permanently. */
const leaveEveryMs = 1_000;

function overClient(client: RedisClient): Opened {
  const given = commandsOf(client);
  let commands = given;
  let leftAt = Number.NEGATIVE_INFINITY;
  let closed = false;

  async function renew(): Promise<void> {
    try {
      // Always from the caller's client: a client made by the store is given up with its connection.
      const fresh = await given.renew?.();
      if (fresh === undefined) return;
      if (closed) {
        fresh.close?.();
        return;
      }
      commands.close?.();
      commands = fresh;
    } catch {
      // The next decision sees that the server is still a replica, and tries again.
    }
  }

  return {
    cluster: given.cluster,
    prefix: undefined,
    use() {
      if (commands.isDown()) throw new Error("The Redis store's client is not connected.");
      return commands;
    },
    leaveReplica() {
      if (closed || performance.now() - leftAt < leaveEveryMs) return;
      leftAt = performance.now();
      void renew();
    },
    async close() {
      closed = true;
      commands.close?.();
    },
  };
}
