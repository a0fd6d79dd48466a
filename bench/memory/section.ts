import { inChild } from "../measuring/child.ts";
import { type Figure, figureOf } from "../measuring/figures.ts";
import { interleaved } from "../measuring/interleaved.ts";
import type { RunOptions, Section, SectionResult, Table, Target } from "../report/result.ts";
import { atMost, floorOf, ofBestPeer, ofHeadgate } from "../report/targets.ts";
import type { Task } from "./cadence.ts";
import { memoryContenders } from "./contenders/index.ts";

const file = new URL("./process.ts", import.meta.url);

export const memory: Section = { name: "memory", run };

interface Column {
  readonly title: string;
  readonly callers: number;
  readonly decided: Task["decided"];
  readonly keys: Task["keys"];
}

async function run(options: RunOptions): Promise<SectionResult> {
  const { isQuick } = options;
  const many = isQuick ? 10_000 : 1_000_000;
  const manyText = `${many.toLocaleString("en")} callers`;
  const column = (title: string, callers: number, decided: Task["decided"], keys: Task["keys"]): Column => ({
    title,
    callers,
    decided,
    keys,
  });
  const forAdmitted = [
    column("1 caller", 1, "admitted", "kept"),
    column("1,000 callers", 1_000, "admitted", "kept"),
    column(manyText, many, "admitted", "kept"),
  ];
  const forAnew = [
    column("1,000 callers", 1_000, "admitted", "anew"),
    column(manyText, many, "admitted", "anew"),
  ];
  const forRefused = [
    column("1 caller", 1, "refused", "kept"),
    column("1,000 callers", 1_000, "refused", "kept"),
    column("1,000 callers, keys anew", 1_000, "refused", "anew"),
  ];
  const measured = await measureAll(options, [...forAdmitted, ...forAnew, ...forRefused]);
  const admitted = tableOf("admitted", "Three layers, all admitted", measured, forAdmitted);
  const anew = tableOf("anew", "The same, by keys that are made anew for each request", measured, forAnew);
  const refused = tableOf("refused", "Three layers, all refused", measured, forRefused);
  return {
    name: "memory",
    title: "Deciding in memory",
    method: [
      "5/minute and 60/hour for each user, 30/minute for each address; every caller has a key and an address of its own. " +
        "A caller comes five times within a minute, then after some five minutes again, in an order that has nothing to do with that of memory.",
      "Headgate has these limits, and a clock that is the machine's, moved on between visits: all are admitted, and what a caller " +
        "holds is what callers hold. So has the floor that is as exact. The others read the machine's clock; to admit all, their quotas are out " +
        "of reach, which changes nothing of what a fixed window holds. For refusals everybody has the limits as they are, and has spent them.",
      "The peers' stores are called as their own middleware does, one for each limit, until one refuses. Each measurement is a process of its " +
        "own; contenders take turns, round by round.",
      "Keys are strings that exist already, as a map of strings likes them best; in the second table they are made from bytes for each request, as a server's are, " +
        "which the empty loop shows the price of.",
    ],
    tables: [admitted, anew, refused],
    targets: [
      target("admitted in memory, 1,000 callers, keys anew", 0.95, anew, 0),
      target("admitted in memory, 1,000 callers, keys kept", 1.4, admitted, 1),
      target(`admitted in memory, ${manyText}, keys anew`, 0.5, anew, 1),
      target("refused in memory, 1,000 callers, keys anew", 1.6, refused, 2),
    ],
  };
}

function target(what: string, most: number, table: Table, column: number): Target {
  const peer = ofBestPeer(table, column);
  const ratio = ofHeadgate(table, column) / peer.median;
  return atMost(what, most, `the fastest peer's time (${peer.label})`, ratio, floorsOf(table, column));
}

/** Each measurement in a process of its own; with `isQuick`, all of one contender in one. */
async function measureAll({ isQuick, say }: RunOptions, columns: readonly Column[]): Promise<Measured> {
  const names = Object.keys(memoryContenders);
  const taskOf = (contender: string, column: Column): Task => ({
    contender,
    ...column,
    ...lengthOf(column.callers, isQuick),
  });
  if (isQuick) {
    const measured = columns.map(() => new Map<string, Figure>());
    for (const name of names) {
      const figures = await inChild<Task[], number[]>(
        file,
        columns.map((column) => taskOf(name, column)),
      );
      for (const [index, figure] of figures.entries()) measured[index]?.set(name, figureOf([figure]));
    }
    return new Map(columns.map((column, index) => [column, measured[index] ?? new Map()]));
  }
  const measured: Measured = new Map();
  for (const column of columns) {
    say(`memory: ${column.title}, ${column.decided}, keys ${column.keys}`);
    const rounds = 3;
    const figures = await interleaved(rounds, names, async (contender) => {
      const [figure] = await inChild<Task[], number[]>(file, [taskOf(contender, column)]);
      return figure as number;
    });
    measured.set(column, figures);
  }
  return measured;
}

type Measured = Map<Column, ReadonlyMap<string, Figure>>;

function tableOf(id: string, title: string, measured: Measured, columns: readonly Column[]): Table {
  return {
    id: `memory-${id}`,
    title,
    columns: columns.map((column) => ({ title: column.title, unit: "ns a decision", better: "less" })),
    rows: Object.entries(memoryContenders).map(([name, { label, kind, note }]) => ({
      label,
      kind,
      note,
      figures: columns.map((column) => measured.get(column)?.get(name) ?? null),
    })),
  };
}

function lengthOf(callers: number, isQuick: boolean) {
  if (isQuick) return { warmUpDecisions: 1_000, decisionsAStretch: 1_000, stretches: 3 };
  // One pass each: with the first visit, as many as a caller makes within a minute.
  if (callers > 1_000) return { warmUpDecisions: 0, decisionsAStretch: callers, stretches: 4 };
  return { warmUpDecisions: 300_000, decisionsAStretch: 150_000, stretches: 5 };
}

function labelOf(name: string): string {
  return memoryContenders[name]?.label ?? name;
}

/** The quickest that counts, and the one that is as exact. */
function floorsOf(table: Table, column: number): string {
  return `${floorOf(withoutEmptyLoop(table), column)}; ${floorOf(table, column, labelOf("sliding-log"))}`;
}

/** It counts nothing, so it is no floor for counting. */
function withoutEmptyLoop(table: Table): Table {
  return { ...table, rows: table.rows.filter(({ label }) => label !== labelOf("empty-loop")) };
}
