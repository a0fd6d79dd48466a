import { inChild } from "../measuring/child.ts";
import { figureOf } from "../measuring/figures.ts";
import { interleaved } from "../measuring/interleaved.ts";
import type { RunOptions, Section, SectionResult, Table } from "../report/result.ts";
import { atMost, atMostOf, ofHeadgate } from "../report/targets.ts";
import { type Flooded, floodMsAKey, floodShares, type Part, parts, type Task } from "./task.ts";

export const operator: Section = { name: "operator", run };

const file = new URL("./process.ts", import.meta.url);
const mebibyte = 2 ** 20;
const bare = "the limiter alone";
const all = "all of it";

const ways: readonly { readonly label: string; readonly on: readonly Part[]; readonly note: string }[] = [
  { label: bare, on: [], note: "nothing is counted, logged or shown" },
  {
    label: "metrics",
    on: ["metrics"],
    note: "`headgate/otel` over OpenTelemetry's SDK, with its Prometheus exporter",
  },
  { label: "decision log", on: ["log"], note: "a line for each decision, in files that are rotated" },
  { label: "shadow", on: ["shadow"], note: "a candidate with the same layers also decides every request" },
  { label: "console", on: ["console"], note: "what the operator's console counts" },
  { label: all, on: parts, note: "metrics, decision log, shadow and console" },
];

async function run({ isQuick, say }: RunOptions): Promise<SectionResult> {
  const decisions = isQuick ? 2_000 : 200_000;
  const rounds = isQuick ? 1 : 3;
  const costs = await interleaved(
    rounds,
    ways.map(({ label }) => label),
    (label) => {
      say(`operator: ${label}`);
      const on = ways.find((way) => way.label === label)?.on ?? [];
      return inChild<Task, number>(file, { do: "cost", on, decisions, stretches: isQuick ? 1 : 3 });
    },
  );
  const cost: Table = {
    id: "operator-cost",
    title: "A decision in memory, with an operator's tools",
    base: bare,
    columns: [{ title: "1,000 callers", unit: "ns a decision", better: "less" }],
    rows: ways.map(({ label, note }) => ({
      label,
      kind: label === bare ? "headgate" : "peer",
      note,
      figures: [costs.get(label) ?? null],
    })),
  };

  const keys = isQuick ? 20_000 : floodKeys();
  const floods = new Map<string, Flooded>();
  for (const { label, on } of ways.filter((way) => way.label === bare || way.label === all)) {
    say(`operator: a flood, ${label}`);
    floods.set(label, await inChild<Task, Flooded>(file, { do: "flood", on, keys }, ["--expose-gc"]));
  }
  const columns: [string, string, (flooded: Flooded) => number][] = [
    ...floodShares.map((share, step): (typeof columns)[number] => [
      `held after ${(keys * share).toLocaleString("en")} keys`,
      "MiB",
      ({ steps }) => (steps[step]?.heldBytes ?? Number.NaN) / mebibyte,
    ]),
    ...floodShares.map((share, step): (typeof columns)[number] => [
      `resident at most, up to ${(keys * share).toLocaleString("en")} keys`,
      "MiB",
      ({ steps }) => (steps[step]?.peakResidentBytes ?? Number.NaN) / mebibyte,
    ]),
    ["time a key", "µs", ({ steps }) => (steps.reduce((sum, { seconds }) => sum + seconds, 0) / keys) * 1e6],
    [
      "processor time of the longest turn",
      "ms",
      ({ steps }) => Math.max(...steps.map(({ longestWorkMs }) => longestWorkMs)),
    ],
    ["log lines lost, and counted", "", ({ lostLines }) => lostLines],
  ];
  const flood: Table = {
    id: "operator-flood",
    title: `${keys.toLocaleString("en")} distinct keys`,
    columns: columns.map(([title, unit]) => ({ title, unit, better: "less" })),
    rows: [...floods].map(([label, flooded]) => ({
      label,
      kind: label === bare ? "headgate" : "peer",
      note: "",
      figures: columns.map(([, , read]) => figureOf([read(flooded)])),
    })),
  };
  const withAll = floods.get(all);
  const [halfway, end] = withAll?.steps.slice(-2) ?? [];
  const growth = end && halfway ? end.heldBytes / Math.max(1, halfway.heldBytes) : Number.NaN;
  const allCosts = costs.get(all)?.median ?? Number.NaN;
  return {
    name: "operator",
    title: "What an operator's side costs",
    method: [
      "The product's three layers over the memory store, all requests admitted, 100 decisions in each turn of the event loop. The clock moves forward between turns. " +
        "The time includes all work of the tools on the thread, and the wait until the log is written. Each measurement is a separate process; rows take turns, round by round.",
      `Then ${keys.toLocaleString("en")} new keys send one request each, as fast as they can be decided, to the memory store with its default maximum. A request ends in the next turn. Each key moves the clock forward by ${floodMsAKey * 1000} µs, so that windows of a minute end during the flood.` +
        (keys < mostKeys
          ? ` ${mostKeys.toLocaleString("en")} keys are the full flood: this run used fewer, to save time.`
          : "") +
        " Memory is measured after a garbage collection, once the log is written, after a tenth, a fifth, a half and all of the keys.",
    ],
    tables: [cost, flood],
    targets: [
      atMostOf("all of it, over the limiter alone", 10, "times", allCosts / ofHeadgate(cost, 0)),
      atMost("memory held with all of it, in the end", 1.1, "what was held after half of the keys", growth),
    ],
  };
}

const mostKeys = 10_000_000;

/** `BENCH_FLOOD_KEYS` makes the flood smaller if there is too little time; the report says so. */
function floodKeys(): number {
  const given = Number(process.env.BENCH_FLOOD_KEYS ?? mostKeys);
  return Number.isSafeInteger(given) && given >= 200 ? Math.min(mostKeys, given) : mostKeys;
}
