import { inChild } from "../measuring/child.ts";
import { figureOf } from "../measuring/figures.ts";
import type { RunOptions, Section, SectionResult, Table } from "../report/result.ts";
import { atMostOf, floorOf, ofHeadgate } from "../report/targets.ts";
import type { Flooded, Task } from "./process.ts";

const file = new URL("./process.ts", import.meta.url);

export const flood: Section = { name: "flood", run };

const mebibyte = 2 ** 20;

async function run({ isQuick, say }: RunOptions): Promise<SectionResult> {
  const keys = isQuick ? 20_000 : 10_000_000;
  const floods = [
    { label: "5/minute; 60/hour", limits: "5/minute; 60/hour" },
    { label: "5/second", limits: "5/second" },
    { label: "empty turns", limits: undefined },
  ];
  const measured = new Map<string, Flooded[]>(floods.map(({ label }) => [label, []]));
  for (let round = 0; round < (isQuick ? 1 : 3); round += 1) {
    for (const { label, limits } of floods) {
      say(`flood: ${label}`);
      const task: Task = { keys, limits };
      measured.get(label)?.push(await inChild<Task, Flooded>(file, task, ["--expose-gc"]));
    }
  }

  const columns: [string, string, (flooded: Flooded) => number][] = [
    ["longest turn", "ms", ({ longestPauseMs }) => longestPauseMs],
    ["processor time of the longest turn", "ms", ({ longestWorkMs }) => longestWorkMs],
    ["time a key", "µs", ({ seconds }) => (seconds / keys) * 1e6],
    ["peak resident memory", "MiB", ({ peakResidentBytes }) => peakResidentBytes / mebibyte],
    ["memory held at the end", "MiB", (flooded) => flooded.heldBytes / mebibyte],
    ["partitions", "", ({ partitions }) => partitions],
  ];
  const table: Table = {
    id: "flood",
    title: `${keys.toLocaleString("en")} distinct keys`,
    columns: columns.map(([title, unit]) => ({ title, unit, better: "less" })),
    rows: floods.map(({ label, limits }) => ({
      label,
      kind: limits === undefined ? "floor" : "headgate",
      note: "",
      figures: columns.map(([, , read]) => figureOf((measured.get(label) ?? []).map(read))),
    })),
  };
  const all = [...measured.values()].flat();
  const sumOf = (read: (flooded: Flooded) => number) => all.reduce((sum, flooded) => sum + read(flooded), 0);
  return {
    name: "flood",
    title: "A flood of new callers",
    method: [
      `${keys.toLocaleString("en")} new keys, one request each, with the memory store and its default maximum, 100 in each turn of the event loop. ` +
        "With windows longer than the flood, the store fills up and stays full; with short windows, callers are constantly forgotten and replaced.",
      `Meanwhile ${sumOf(({ refused }) => refused)} callers had used up their quotas, some before the flood and some during it, and kept sending requests: ` +
        `${sumOf(({ letIn }) => letIn)} of their requests were admitted.`,
    ],
    tables: [table],
    targets: [
      atMostOf("the longest turn during the flood", 50, "ms", ofHeadgate(table, 0), floorOf(table, 0)),
      atMostOf(
        "requests of refused callers admitted",
        0,
        "",
        sumOf(({ letIn }) => letIn),
      ),
      atMostOf(
        "partitions kept, as a share of the cap",
        1,
        "times",
        Math.max(...all.map(({ partitions, maxPartitions }) => partitions / Math.max(1, maxPartitions))),
      ),
    ],
  };
}
