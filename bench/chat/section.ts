import { startPostgres } from "@headgate/test-servers/postgres.ts";
import { type Companion, startCompanion } from "../measuring/companion.ts";
import { figureOf } from "../measuring/figures.ts";
import { withServer } from "../measuring/servers.ts";
import type { Row, RunOptions, Section, SectionResult, Table } from "../report/result.ts";
import { atMost, atMostOf, ofRow, round } from "../report/targets.ts";
import { measureBodies } from "./bodies.ts";
import { measureHealth } from "./busy.ts";
import type { Begun, Question as Load } from "./load.ts";
import type { Question, Setting } from "./server.ts";

export const chat: Section = { name: "chat", run };

const serverFile = new URL("./server.ts", import.meta.url);
const loadFile = new URL("./load.ts", import.meta.url);

/** Where the service stores its rows and counts its limits. */
export interface Kept {
  readonly label: string;
  readonly databaseUrl: string;
  readonly storageUri: string;
}

interface Round extends Begun {
  readonly bytesAStream: number;
}

const unguarded = ({ label }: Kept) => `${label}, guarding nobody`;

async function run(options: RunOptions): Promise<SectionResult> {
  return withServer(startPostgres(), ({ url, version }) =>
    measureAll(options, version, [
      { label: "embedded", databaseUrl: "pglite://memory", storageUri: "memory://" },
      { label: "PostgreSQL", databaseUrl: url, storageUri: "memory://" },
      { label: "PostgreSQL, which counts the limits too", databaseUrl: url, storageUri: url },
    ]),
  );
}

async function measureAll(
  { isQuick, say }: RunOptions,
  postgres: string,
  kinds: readonly [Kept, Kept, Kept],
): Promise<SectionResult> {
  const streams = isQuick ? 10 : 1_000;
  const rows: Row[] = [];
  for (const kept of kinds) {
    const rounds: Record<"guarded" | "unguarded", Round[]> = { guarded: [], unguarded: [] };
    for (let round = 0; round < (isQuick ? 1 : 3); round += 1) {
      const order =
        round % 2 === 0 ? (["guarded", "unguarded"] as const) : (["unguarded", "guarded"] as const);
      for (const guard of order) {
        say(`chat: ${streams} streams, ${kept.label}, ${guard}`);
        rounds[guard].push(await measure({ ...kept, isGuarded: guard === "guarded" }, streams, isQuick));
      }
    }
    const { guarded, unguarded: others } = rounds;
    rows.push(
      { label: kept.label, kind: "headgate", note: "", figures: figuresOf(guarded) },
      { label: unguarded(kept), kind: "floor", note: "", figures: figuresOf(others) },
    );
  }
  const table: Table = {
    id: "chat",
    title: `${streams.toLocaleString("en")} simultaneous answers`,
    columns: [
      { title: "first byte, median", unit: "ms", better: "less" },
      { title: "first byte, p99", unit: "ms", better: "less" },
      { title: "resident memory a stream", unit: "KiB", better: "less" },
    ],
    rows,
  };
  const [embedded, onPostgres] = kinds;
  const health = await measureHealth([embedded, onPostgres], { isQuick, say });
  say("chat: bodies that are refused");
  const costs = await measureBodies(isQuick ? 2 : 30);
  const refused: Table = {
    id: "bodies",
    title: "A body before it is refused",
    columns: [{ title: "time of the loop", unit: "ms", better: "less" }],
    rows: costs.map(({ label, figure }) => ({ label, kind: "headgate", note: "", figures: [figure] })),
  };
  const dearest = Math.max(...costs.map(({ figure }) => figure.median));
  return {
    name: "chat",
    title: "The chat service",
    method: [
      `${streams.toLocaleString("en")} people, each with a different name and address, send a message at the same moment. The built-in calculator answers word by word. ` +
        `Each measurement has a separate service, which has answered a few messages before. Its database is in memory, or on ${postgres} on the loopback address.`,
      ...health.method,
      "Bodies of up to 1 MiB are read within the service's bounds and checked, in this process, until they are refused.",
      "Unguarded is the same service with a limiter whose layers apply to nobody. Memory is the growth of the process while all streams are open, divided by their number.",
    ],
    tables: [table, health.table, refused],
    targets: [
      ...kinds.map((kept) =>
        atMost(
          `first byte p99 of ${streams.toLocaleString("en")} streams, ${kept.label}`,
          1.5,
          "the unguarded service's",
          ofRow(table, 1, kept.label) / ofRow(table, 1, unguarded(kept)),
        ),
      ),
      ...health.targets,
      atMostOf("the dearest body before it is refused", MOST_LOOP_MS, "ms of the loop", dearest),
      {
        what: "resident memory a stream",
        wanted: "stated",
        measured: `${round(ofRow(table, 2, embedded.label))} KiB`,
        isMet: true,
      },
    ],
  };
}

const figuresOf = (measured: readonly Round[]) => [
  figureOf(measured.map(({ firstByteP50Ms }) => firstByteP50Ms)),
  figureOf(measured.map(({ firstByteP99Ms }) => firstByteP99Ms)),
  figureOf(measured.map(({ bytesAStream }) => bytesAStream / 1024)),
];

const MOST_LOOP_MS = 20;

const streamsBefore = 20;

function measure(setting: Setting, streams: number, isQuick: boolean): Promise<Round> {
  return withServer(startServer(setting), (server) =>
    withServer(start<null, Load, Begun | null>(loadFile, null), async (load) => {
      const port = Number(new URL(String(await server.ask("url"))).port);
      await load.ask({ do: "begin", load: { port, streams: Math.min(streams, streamsBefore) } });
      if (!isQuick) await load.ask({ do: "end" });
      const before = Number(await server.ask("resident"));
      const begun = await load.ask({ do: "begin", load: { port, streams } });
      const bytesAStream = (Number(await server.ask("resident")) - before) / streams;
      if (begun === null) throw new Error("No stream was begun.");
      return { ...begun, bytesAStream };
    }),
  );
}

/** The chat service, in a separate process. */
export function startServer(setting: Setting): Promise<Companion<Question, string | number>> {
  return start(serverFile, setting);
}

async function start<S, Q, A>(file: URL, setting: S): Promise<Companion<Q, A>> {
  return startCompanion<S, Q, A>(file, setting);
}
