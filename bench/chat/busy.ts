import { setTimeout as pause } from "node:timers/promises";
import { startCompanion } from "../measuring/companion.ts";
import { figureOf } from "../measuring/figures.ts";
import { withServer } from "../measuring/servers.ts";
import type { Row, RunOptions, Table, Target } from "../report/result.ts";
import { atMostOf, ofRow } from "../report/targets.ts";
import type { Counts, Crowd, Question as Crowding } from "./crowd.ts";
import type { Question as Asking, Waits } from "./health.ts";
import { type Kept, startServer } from "./section.ts";

const crowdFile = new URL("./crowd.ts", import.meta.url);
const healthFile = new URL("./health.ts", import.meta.url);

const MOST_HEALTH_MS = 100;

export interface Health {
  readonly method: readonly string[];
  readonly table: Table;
  readonly targets: readonly Target[];
}

/** Measures how long /health takes while the service is nearly idle, while a crowd connects, and while it stays connected. */
export async function measureHealth(kinds: readonly Kept[], { isQuick, say }: RunOptions): Promise<Health> {
  const size = isQuick ? { streams: 10, slow: 5, forMs: 500 } : { streams: 500, slow: 100, forMs: 15_000 };
  const rows: Row[] = [];
  for (const kept of kinds) {
    say(`chat: /health, ${kept.label}`);
    for (const [when, { p50Ms, p99Ms, longestMs }] of await measure(kept, size)) {
      rows.push({
        label: `${kept.label}, ${when}`,
        kind: when === WHEN.quiet ? "floor" : "headgate",
        note: "",
        figures: [p50Ms, p99Ms, longestMs].map((ms) => figureOf([ms])),
      });
    }
  }
  const table: Table = {
    id: "health",
    title: `/health next to ${size.streams} answers`,
    columns: [
      { title: "median", unit: "ms", better: "less" },
      { title: "p99", unit: "ms", better: "less" },
      { title: "longest", unit: "ms", better: "less" },
    ],
    rows,
  };
  return {
    table,
    method: [
      `/health is asked 20 times a second by a process of its own, by a new connection each time: with nobody else there, while ${size.streams} answers, ${size.slow} clients that never read theirs and ${size.slow} that send a body byte by byte begin at one moment, and for ${size.forMs / 1_000} seconds after that, in which each that ends is followed by another. ` +
        "Where the machine itself is busy, the first of these says how much.",
    ],
    targets: kinds.map(({ label }) =>
      atMostOf(
        `/health p99 next to ${size.streams} answers, slow readers and slow bodies, ${label}`,
        MOST_HEALTH_MS,
        "ms",
        ofRow(table, 1, `${label}, ${WHEN.busy}`),
        `with nobody else there: ${ofRow(table, 1, `${label}, ${WHEN.quiet}`).toFixed(0)} ms`,
      ),
    ),
  };
}

const WHEN = { quiet: "nobody else", coming: "while they come", busy: "while they are there" };

async function measure(
  { databaseUrl, storageUri }: Kept,
  { streams, slow, forMs }: { streams: number; slow: number; forMs: number },
): Promise<[string, Waits][]> {
  return withServer(startServer({ isGuarded: true, databaseUrl, storageUri }), async (server) => {
    const url = String(await server.ask("url"));
    const crowd: Crowd = { port: Number(new URL(url).port), streams, slowReaders: slow, slowBodies: slow };
    const asking = Promise.resolve(startCompanion<null, Asking, Waits | null>(healthFile, null));
    return withServer(asking, (health) => {
      const crowding = Promise.resolve(startCompanion<null, Crowding, Counts>(crowdFile, null));
      return withServer(crowding, async (people) => {
        const during = async (work: () => Promise<unknown>): Promise<Waits> => {
          await health.ask({ do: "watch", url });
          await work();
          const waits = await health.ask({ do: "waits" });
          if (waits === null) throw new Error("/health was not asked.");
          return waits;
        };
        const quiet = await during(() => pause(forMs / 5));
        const coming = await during(() => people.ask({ do: "come", crowd }));
        const busy = await during(() => pause(forMs));
        const { refused } = await people.ask({ do: "counts" });
        if (Object.keys(refused).length > 0) {
          throw new Error(`Answers were refused, so there were fewer: ${JSON.stringify(refused)}.`);
        }
        return [
          [WHEN.quiet, quiet],
          [WHEN.coming, coming],
          [WHEN.busy, busy],
        ];
      });
    });
  });
}
