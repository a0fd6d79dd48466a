import { type Companion, startCompanion } from "../measuring/companion.ts";
import { figureOf } from "../measuring/figures.ts";
import { withServer } from "../measuring/servers.ts";
import type { Table, Column as TableColumn } from "../report/result.ts";
import type { Listed } from "./contender.ts";
import type { Measured, Task } from "./measure.ts";
import type { Setting } from "./process.ts";

const file = new URL("./process.ts", import.meta.url);

export interface Column {
  readonly title: string;
  readonly decided: Task["decided"];
  readonly inFlight: number;
}

export interface Rounds {
  readonly contenders: Readonly<Record<string, Listed>>;
  readonly columns: readonly Column[];
  canRefuse(contender: string): boolean;
  /** Default: every contender. */
  canAdmit?(contender: string): boolean;
  readonly isQuick: boolean;
  readonly rounds: number;
  readonly warmUpMs: number;
  readonly forMs: number;
  readonly url: string;
  /** Empties the server. */
  clear(): Promise<void>;
  /** Returns the number of calls of the server so far. */
  calls?(): number;
  say(column: string): void;
}

export interface Counted extends Measured {
  /** The server's calls for each decision. */
  readonly calls: number;
}

type Measuring = Companion<Task, Measured>;

/**
 * Measures all contenders over one server in turn, round by round, each in a separate process; with `isQuick`, all
 * measurements of a contender in one process.
 */
export async function runRounds(options: Rounds) {
  const { contenders, columns, canRefuse, canAdmit = () => true, rounds, warmUpMs, forMs, url } = options;
  const names = Object.keys(contenders);
  const measured = new Map<Column, Map<string, Counted[]>>(columns.map((column) => [column, new Map()]));

  async function measureIn(server: Measuring, contender: string, column: Column): Promise<void> {
    const { decided, inFlight } = column;
    if (!(decided === "refused" ? canRefuse : canAdmit)(contender)) return;
    await options.clear();
    const before = options.calls?.() ?? 0;
    const figures = await server.ask({ decided, inFlight, warmUpMs, forMs });
    const calls = ((options.calls?.() ?? 0) - before) / figures.asked;
    const byName = measured.get(column);
    byName?.set(contender, [...(byName.get(contender) ?? []), { ...figures, calls }]);
  }

  const processOf = async (contender: string): Promise<Measuring> =>
    startCompanion<Setting, Task, Measured>(file, { contender, url });
  if (options.isQuick) {
    for (const contender of names) {
      await withServer(processOf(contender), async (measuring) => {
        for (const column of columns) await measureIn(measuring, contender, column);
      });
    }
    return { table };
  }
  for (const column of columns) {
    options.say(column.title);
    for (let round = 0; round < rounds; round += 1) {
      for (let turn = 0; turn < names.length; turn += 1) {
        const contender = names[(turn + round) % names.length] as string;
        await withServer(processOf(contender), (measuring) => measureIn(measuring, contender, column));
      }
    }
  }
  return { table };

  function table(
    id: string,
    title: string,
    unit: string,
    better: TableColumn["better"],
    read: (counted: Counted) => number,
  ): Table {
    return {
      id,
      title,
      columns: columns.map((column) => ({ title: column.title, unit, better })),
      rows: Object.entries(contenders).map(([name, { label, kind, note }]) => ({
        label,
        kind,
        note,
        figures: columns.map((column) => {
          const values = measured.get(column)?.get(name);
          return values === undefined ? null : figureOf(values.map(read));
        }),
      })),
    };
  }
}
