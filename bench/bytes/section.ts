import { inChild } from "../measuring/child.ts";
import { type Figure, figureOf } from "../measuring/figures.ts";
import { memoryContenders } from "../memory/contenders/index.ts";
import type { Kind, RunOptions, Section, SectionResult, Table } from "../report/result.ts";
import { atMost, atMostOf, floorOf, ofBestPeer, ofHeadgate } from "../report/targets.ts";
import type { Task } from "./task.ts";

const file = new URL("./process.ts", import.meta.url);

export const bytes: Section = { name: "bytes", run };

const all = [
  "headgate",
  "hitlimit",
  "hono-rate-limiter",
  "fastify-rate-limit",
  "express-rate-limit",
  "rate-limiter-flexible",
  "bare-map",
  "gcra-table",
];

async function run(options: RunOptions): Promise<SectionResult> {
  const { isQuick } = options;
  // The memory section checks that the other contenders work.
  const names = isQuick ? ["headgate", "hitlimit", "gcra-table"] : all;
  // Floors never forget callers.
  const expiring = isQuick ? ["headgate"] : names.filter((name) => memoryContenders[name]?.kind !== "floor");
  const some = isQuick ? 2_000 : 1_000_000;
  const many = isQuick ? 5_000 : 5_000_000;
  const [someText, manyText] = [some, many].map((count) => `${count.toLocaleString("en")} callers`);
  // Long enough for one visit of every caller before the first window ends.
  const windowMs = isQuick ? 200 : 20_000;

  const held = await measure(
    options,
    `bytes: ${someText}`,
    { do: "hold", callers: some, windowMs },
    3,
    names,
  );
  const collected = await measure(options, `bytes: ${manyText}`, { do: "hold", callers: many, windowMs }, 1, [
    ...names,
    "empty-loop",
  ]);
  const expired = await measure(
    options,
    `bytes: expiry of ${someText}`,
    { do: "expire", callers: some, windowMs },
    1,
    expiring,
  );

  const size = table("size", "One visit of each caller, three layers", "bytes a caller", names, [
    [`${someText}`, first(held)],
    [`${manyText}`, first(collected)],
  ]);
  const pause = table(
    "collection",
    "A full collection",
    "ms",
    [...names, "empty-loop"],
    [[manyText as string, second(collected)]],
  );
  const stall = table("expiry", `The event loop while ${someText} expire`, "ms", expiring, [
    ["longest turn", first(expired)],
    ["processor time of the longest turn", second(expired)],
  ]);
  return {
    name: "bytes",
    title: "Memory, and the cost of keeping and clearing it",
    method: [
      "Each caller has its own user key and address, and has sent one request: one stamp in each of three limits. Bytes are those of the heap and of buffers after a " +
        "full collection, minus those before the first caller.",
      "A full collection is explicit, and stops the process from beginning to end; the engine's own collections run partly in parallel. The empty loop shows the cost " +
        "without data.",
      `For expiry, Headgate's clock is moved past all windows and as many visits follow as there were callers. The others have windows of ${windowMs / 1000} s by the machine's clock, and are measured ` +
        "until their timers have deleted expired callers. Visits come in turns of the event loop. A long turn with little processor time means that other processes had the processor.",
    ],
    tables: [size, pause, stall],
    targets: [
      atMostOf(`memory for a caller, ${someText}`, 110, "bytes", ofHeadgate(size, 0), floorOf(size, 0)),
      atMost(
        `memory for a caller, ${someText}`,
        0.5,
        `the leanest peer's (${ofBestPeer(size, 0).label})`,
        ofHeadgate(size, 0) / ofBestPeer(size, 0).median,
        floorOf(size, 0),
      ),
      atMostOf(`a full collection, ${manyText}`, 10, "ms", ofHeadgate(pause, 0), floorOf(pause, 0)),
      atMostOf(`the longest turn while ${someText} expire`, 10, "ms", ofHeadgate(stall, 0)),
    ],
  };
}

type Measured = ReadonlyMap<string, readonly [Figure, Figure]>;

async function measure(
  { isQuick, say }: RunOptions,
  what: string,
  task: Omit<Task, "contender">,
  rounds: number,
  contenders: readonly string[],
): Promise<Measured> {
  say(what);
  const measured = new Map<string, number[][]>(contenders.map((name) => [name, []]));
  for (let round = 0; round < (isQuick ? 1 : rounds); round += 1) {
    for (const contender of contenders) {
      try {
        const flags = ["--expose-gc", "--max-old-space-size=16384"];
        measured.get(contender)?.push(await inChild<Task, number[]>(file, { ...task, contender }, flags));
      } catch (error) {
        // If the machine has too little memory for a contender, its cell stays empty.
        say(`${what}: ${contender} could not be measured: ${error}`);
      }
    }
  }
  return new Map(
    [...measured]
      .filter(([, values]) => values.length > 0)
      .map(([name, values]) => [
        name,
        [figureOf(values.map(([a]) => a as number)), figureOf(values.map(([, b]) => b as number))],
      ]),
  );
}

function first(measured: Measured): ReadonlyMap<string, Figure> {
  return new Map([...measured].map(([name, [figure]]) => [name, figure]));
}

function second(measured: Measured): ReadonlyMap<string, Figure> {
  return new Map([...measured].map(([name, [, figure]]) => [name, figure]));
}

function table(
  id: string,
  title: string,
  unit: string,
  contenders: readonly string[],
  columns: readonly (readonly [string, ReadonlyMap<string, Figure>])[],
): Table {
  return {
    id: `bytes-${id}`,
    title,
    columns: columns.map(([column]) => ({ title: column, unit, better: "less" })),
    rows: contenders.map((name) => ({
      label: memoryContenders[name]?.label ?? name,
      kind: memoryContenders[name]?.kind ?? ("peer" satisfies Kind),
      note: name === "rate-limiter-flexible" ? "a timer for each key" : "",
      figures: columns.map(([, figures]) => figures.get(name) ?? null),
    })),
  };
}
