import { type Companion, startCompanion } from "../measuring/companion.ts";
import { figureOf } from "../measuring/figures.ts";
import { withServer } from "../measuring/servers.ts";
import type { RunOptions, Section, SectionResult, Table } from "../report/result.ts";
import { atMost, ofHeadgate, ofRow, round } from "../report/targets.ts";
import { measureBodies } from "./bodies.ts";
import type { Begun, Question as Load } from "./load.ts";
import type { Question, Setting } from "./server.ts";

export const chat: Section = { name: "chat", run };

const serverFile = new URL("./server.ts", import.meta.url);
const loadFile = new URL("./load.ts", import.meta.url);
const unguarded = "the same, unguarded";

interface Round extends Begun {
  readonly bytesAStream: number;
}

async function run({ isQuick, say }: RunOptions): Promise<SectionResult> {
  const streams = isQuick ? 10 : 1_000;
  const rounds: Record<"guarded" | "unguarded", Round[]> = { guarded: [], unguarded: [] };
  for (let round = 0; round < (isQuick ? 1 : 3); round += 1) {
    const order = round % 2 === 0 ? (["guarded", "unguarded"] as const) : (["unguarded", "guarded"] as const);
    for (const guard of order) {
      say(`chat: ${streams} streams, ${guard}`);
      rounds[guard].push(await measure(guard === "guarded", streams, isQuick));
    }
  }
  const figures = (measured: readonly Round[]) => [
    figureOf(measured.map(({ firstByteP50Ms }) => firstByteP50Ms)),
    figureOf(measured.map(({ firstByteP99Ms }) => firstByteP99Ms)),
    figureOf(measured.map(({ bytesAStream }) => bytesAStream / 1024)),
  ];
  const table: Table = {
    id: "chat",
    title: `${streams.toLocaleString("en")} simultaneous answers`,
    columns: [
      { title: "first byte, median", unit: "ms", better: "less" },
      { title: "first byte, p99", unit: "ms", better: "less" },
      { title: "resident memory a stream", unit: "KiB", better: "less" },
    ],
    rows: [
      { label: "the chat service", kind: "headgate", note: "", figures: figures(rounds.guarded) },
      { label: unguarded, kind: "floor", note: "", figures: figures(rounds.unguarded) },
    ],
  };
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
      `${streams.toLocaleString("en")} people, each with their own name and address, send a message at the same moment; the built-in responder answers word by word. ` +
        "Each measurement has a separate service, which has answered a few messages before, with its database in memory.",
      "Bodies of up to 1 MiB are read within the service's bounds and checked, in this process, until they are refused.",
      "Unguarded is the same service with a limiter whose layers apply to nobody. Memory is what the process holds while all streams are open, minus what it held before, divided by their number.",
    ],
    tables: [table, refused],
    targets: [
      atMost(
        `first byte p99 of ${streams.toLocaleString("en")} streams`,
        1.5,
        "the unguarded service's",
        ofHeadgate(table, 1) / ofRow(table, 1, unguarded),
      ),
      {
        what: "the dearest body before it is refused",
        wanted: `at most ${MOST_LOOP_MS} ms of the loop`,
        measured: `${round(dearest)} ms`,
        isMet: dearest <= MOST_LOOP_MS,
      },
      {
        what: "resident memory a stream",
        wanted: "stated",
        measured: `${round(ofHeadgate(table, 2))} KiB`,
        isMet: true,
      },
    ],
  };
}

const MOST_LOOP_MS = 20;

const streamsBefore = 20;

function measure(isGuarded: boolean, streams: number, isQuick: boolean): Promise<Round> {
  return withServer(start<Setting, Question, string | number>(serverFile, { isGuarded }), (server) =>
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

async function start<S, Q, A>(file: URL, setting: S): Promise<Companion<Q, A>> {
  return startCompanion<S, Q, A>(file, setting);
}
