import { setTimeout as sleep } from "node:timers/promises";
import type { PostgresServer } from "@headgate/test-servers/postgres.ts";
import type { RedisServer } from "@headgate/test-servers/redis.ts";
import { Client } from "pg";

/** Measures the time that a server spends on Headgate's calls. */
export interface ServerTime {
  /** Empties the server. */
  clear(): Promise<void>;
  /** Starts to count, once the server has counted all calls so far. */
  begin(): Promise<void>;
  /** Returns the time since `begin`, in microseconds. The process that made the calls must have ended. */
  read(): Promise<number>;
}

/** The processor time of all calls of scripts, by Redis' own count. */
export function timeOfRedis(server: RedisServer): ServerTime {
  return {
    async clear() {
      server.command("flushall");
    },
    async begin() {
      server.command("config", "resetstat");
    },
    async read() {
      const told = server.command("info", "commandstats");
      return sumOf(
        [...told.matchAll(/^cmdstat_(?:eval|evalsha):calls=\d+,usec=(\d+)/gm)].map(([, usec]) =>
          Number(usec),
        ),
      );
    },
  };
}

const idleReportMs = 10_500;

/**
 * The time in Headgate's functions, by PostgreSQL's own count. The server needs `track_functions=pl`.
 *
 * @param isQuick do not wait for late statistics, to check only that the benchmark works
 */
export function timeOfPostgres(server: PostgresServer, isQuick: boolean): ServerTime {
  const mostMs = isQuick ? 500 : idleReportMs;
  return {
    async clear() {
      await ask(server.url, "drop schema if exists headgate cascade");
    },
    async begin() {
      await allReported(server.url, mostMs);
      await ask(server.url, "select pg_stat_reset()");
    },
    async read() {
      await allReported(server.url, mostMs);
      const spent =
        "select 1000 * sum(self_time) as value from pg_stat_user_functions where schemaname = 'headgate'";
      return ask(server.url, spent);
    },
  };
}

/**
 * Waits until PostgreSQL has counted all calls of other sessions. A session reports its last calls when it
 * ends, or when it has been idle for a while.
 */
async function allReported(url: string, mostMs: number): Promise<void> {
  const others =
    "select count(*) as value from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()";
  const untilMs = performance.now() + mostMs;
  while ((await ask(url, others)) > 0 && performance.now() < untilMs) await sleep(20);
}

async function ask(url: string, statement: string): Promise<number> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query(statement);
    return Number(rows[0]?.value);
  } finally {
    await client.end();
  }
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
