import { startPostgres } from "@headgate/test-servers/postgres.ts";
import { Client } from "pg";
import { withServer } from "../measuring/servers.ts";
import type { RunOptions, Section, SectionResult, Table } from "../report/result.ts";
import { atLeast, floorOf, ofHeadgate, ofRow } from "../report/targets.ts";
import { runRounds } from "../shared-store/rounds.ts";
import { postgresContenders } from "./contenders/index.ts";

export const postgres: Section = { name: "postgres", run };

const inFlight = 64;

/** A server with default settings, and one for users who can lose a second of counts. */
const servers = [
  { id: "default", title: "server's defaults", settings: ["fsync=on", "full_page_writes=on"], least: 5.5 },
  {
    id: "asynchronous",
    title: "synchronous_commit off",
    settings: ["fsync=on", "full_page_writes=on", "synchronous_commit=off"],
    least: 3.3,
  },
];

async function run(options: RunOptions): Promise<SectionResult> {
  const tables: Table[] = [];
  let version = "";
  for (const { id, title, settings } of options.isQuick ? servers.slice(0, 1) : servers) {
    tables.push(
      await withServer(startPostgres(settings), (server) => {
        version = server.version;
        return measure(options, id, title, server.url);
      }),
    );
  }
  const peer = postgresContenders["rate-limiter-flexible"]?.label ?? "";
  return {
    name: "postgres",
    title: "Deciding over PostgreSQL",
    method: [
      `${version} on the loopback, one Node process at a time with ${inFlight} decisions in flight, three layers: 5/minute and 60/hour for each user, 30/minute for each address. ` +
        "New callers keep arriving, each with five requests, so that all requests are admitted within the product's limits. Tables are emptied before each measurement.",
      "Headgate turns synchronous_commit off for its own statements, whatever the server's default; in the second table, it is off for the other limiter too.",
    ],
    tables,
    targets: tables.map((table, index) =>
      atLeast(
        `over PostgreSQL, ${inFlight} in flight, ${servers[index]?.title}`,
        servers[index]?.least ?? 0,
        "rate-limiter-flexible's decisions a second",
        ofHeadgate(table, 0) / ofRow(table, 0, peer),
        floorOf(table, 0),
      ),
    ),
  };
}

async function measure({ isQuick, say }: RunOptions, id: string, title: string, url: string): Promise<Table> {
  const { table } = await runRounds({
    contenders: postgresContenders,
    columns: [{ title: `${inFlight} in flight`, decided: "admitted", inFlight }],
    canRefuse: () => true,
    isQuick,
    rounds: 5,
    warmUpMs: isQuick ? 50 : 1_000,
    forMs: isQuick ? 100 : 3_000,
    url,
    clear: () => clear(url),
    say: (column) => say(`postgres: ${title}, ${column}`),
  });
  return table(
    `postgres-${id}`,
    `Decisions a second, ${title}`,
    "decisions/s",
    "more",
    ({ perSecond }) => perSecond,
  );
}

/** Drops the contenders' tables, which they create again. */
async function clear(url: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query("drop schema if exists headgate cascade; drop table if exists rate_limits");
  } finally {
    await client.end();
  }
}
