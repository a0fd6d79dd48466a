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
  const anew = tableOf(
    "anew",
    "Three layers, all admitted, with keys that each request creates",
    measured,
    forAnew,
  );
  const refused = tableOf("refused", "Three layers, all refused", measured, forRefused);
  return {
    name: "memory",
    title: "Deciding in memory",
    method: [
      "5/minute and 60/hour for each user, 30/minute for each address; every caller has its own key and address. " +
        "A caller sends five requests within a minute, then more after about five minutes. Callers come in random order, not in the order in which they lie in memory.",
      "Headgate and the equally exact floor (stamps in a list) have these limits, and a clock that is moved forward between visits: all requests are " +
        "admitted, and callers have realistic counts. The others read the machine's clock; to admit all requests, their quotas are out " +
        "of reach, which does not change the data that a fixed window keeps. For refusals, all have the real limits, and callers have used them up.",
      "The peers' stores are called as by their own middleware: one for each limit, until one refuses. Each measurement is a separate process; " +
        "contenders take turns, round by round.",
      'Keys are strings that already exist, which suits a map of strings best. In the second table, and in columns with "keys anew", each request creates its keys from bytes, as in a server; ' +
        "the empty loop shows the cost of that.",
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

/** Runs each measurement in a separate process; with `isQuick`, all of a contender in one process. */
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
  // Each stretch is one pass. Together with the unmeasured first pass, each caller makes five visits within a minute.
  if (callers > 1_000) return { warmUpDecisions: 0, decisionsAStretch: callers, stretches: 4 };
  return { warmUpDecisions: 300_000, decisionsAStretch: 150_000, stretches: 5 };
}

function labelOf(name: string): string {
  return memoryContenders[name]?.label ?? name;
}

/** Returns the fastest floor that counts, and the floor that is as exact as Headgate. */
function floorsOf(table: Table, column: number): string {
  return `${floorOf(withoutEmptyLoop(table), column)}; ${floorOf(table, column, labelOf("sliding-log"))}`;
}

/** Removes the empty loop, which counts nothing and so is not a floor. */
function withoutEmptyLoop(table: Table): Table {
  return { ...table, rows: table.rows.filter(({ label }) => label !== labelOf("empty-loop")) };
}
