import { startRedis } from "@headgate/test-servers/redis.ts";
import { withServer } from "../measuring/servers.ts";
import type { RunOptions, Section, SectionResult, Table } from "../report/result.ts";
import { atLeast, atMost, atMostOf, floorOf, ofBestPeer, ofHeadgate } from "../report/targets.ts";
import { runRounds } from "../shared-store/rounds.ts";
import { redisContenders, refusingFloors } from "./contenders/index.ts";

export const redis: Section = {
  name: "redis",
  run: (options) => withServer(startRedis(), (server) => run(options, server)),
};

type Server = Awaited<ReturnType<typeof startRedis>>;

async function run({ isQuick, say }: RunOptions, server: Server): Promise<SectionResult> {
  const runs = await runRounds({
    contenders: redisContenders,
    columns: [
      { title: "1 in flight", decided: "admitted", inFlight: 1 },
      { title: "256 in flight", decided: "admitted", inFlight: 256 },
      { title: "refused, 1 in flight", decided: "refused", inFlight: 1 },
      { title: "refused, 256 in flight", decided: "refused", inFlight: 256 },
    ],
    // The other floors do not refuse these callers.
    canRefuse: (name) => redisContenders[name]?.kind !== "floor" || refusingFloors.includes(name),
    canAdmit: (name) => !refusingFloors.includes(name),
    isQuick,
    rounds: 5,
    warmUpMs: isQuick ? 50 : 400,
    forMs: isQuick ? 100 : 1_000,
    url: server.url,
    clear: async () => void server.command("flushall"),
    calls: () => scriptCalls(server),
    say: (column) => say(`redis: ${column}`),
  });
  const rate = runs.table(
    "redis-rate",
    "Decisions a second",
    "decisions/s",
    "more",
    ({ perSecond }) => perSecond,
  );
  const latency = first(
    runs.table("redis-latency", "Time to a decision, median", "µs", "less", ({ p50Us }) => p50Us),
    ["1 in flight"],
  );
  const calls = first(
    runs.table(
      "redis-calls",
      "Calls of the server for each decision",
      "calls",
      "less",
      (measured) => measured.calls,
    ),
    ["1 in flight", "256 in flight", "refused, 1 in flight"],
  );
  const packed = labelOf("packed-script");
  return {
    name: "redis",
    title: "Deciding over Redis",
    method: [
      `Redis ${server.version} on the loopback, one Node process at a time, three layers: 5/minute and 60/hour for each user, 30/minute for each address. ` +
        "New callers keep arriving, each with five requests, so that all requests are admitted within the product's limits. The server is emptied before each measurement.",
      "64 callers who have used up their quotas keep sending requests, which are refused. The two floors that refuse call no server: they show how " +
        "many refusals a second one process can request and record at most.",
    ],
    tables: [rate, latency, calls],
    targets: [
      atLeast(
        "over Redis, 256 in flight",
        3.3,
        `the fastest peer's decisions a second (${ofBestPeer(rate, 1).label})`,
        ofHeadgate(rate, 1) / ofBestPeer(rate, 1).median,
        floorOf(rate, 1, packed),
      ),
      atMostOf("calls of Redis for a decision, 1 in flight", 1.01, "calls", ofHeadgate(calls, 0)),
      atMost(
        "over Redis, 1 in flight, median time",
        0.95,
        `the fastest peer's (${ofBestPeer(latency, 0).label})`,
        ofHeadgate(latency, 0) / ofBestPeer(latency, 0).median,
        `${floorOf(latency, 0, packed)}; ${floorOf(latency, 0, labelOf("bare-script"))}`,
      ),
    ],
  };
}

function labelOf(contender: string): string {
  return redisContenders[contender]?.label ?? "";
}

/** Returns the number of script calls of the server so far. */
function scriptCalls(server: Server): number {
  const told = server.command("info", "commandstats");
  return [...told.matchAll(/^cmdstat_(?:eval|evalsha|fcall):calls=(\d+)/gm)].reduce(
    (sum, [, calls]) => sum + Number(calls),
    0,
  );
}

/** Returns a table with only these columns, without rows that have no figure in them. */
function first(table: Table, columns: readonly string[]): Table {
  const kept = columns.map((title) => table.columns.findIndex((column) => column.title === title));
  const rows = table.rows.map((row) => ({
    ...row,
    figures: kept.map((column) => row.figures[column] ?? null),
  }));
  return {
    ...table,
    columns: table.columns.filter((_, index) => kept.includes(index)),
    rows: rows.filter(({ figures }) => figures.some((figure) => figure !== null)),
  };
}
