import { type Companion, startCompanion } from "../measuring/companion.ts";
import { type Figure, figureOf, medianOf } from "../measuring/figures.ts";
import { withServer } from "../measuring/servers.ts";
import type { Kind, RunOptions, Section, SectionResult, Table, Target } from "../report/result.ts";
import { atLeast, atMost, atMostOf, round } from "../report/targets.ts";
import { type Framework, frameworks, type Variant } from "./frameworks/index.ts";
import type { Load, Loaded } from "./load.ts";
import type { Question, Setting } from "./server.ts";

export const http: Section = { name: "http", run };

const loadFile = new URL("./load.ts", import.meta.url);
const serverFile = new URL("./server.ts", import.meta.url);
const connections = 32;
/** More requests than the refused callers' quotas. */
const warmUpRequests = 200;

/** The microseconds that a guard adds, and refusals a second divided by bare answers a second. */
const wanted: Readonly<Record<string, { addedUs: number; refused: number }>> = {
  fastify: { addedUs: 5, refused: 0.78 },
  node: { addedUs: 6, refused: 0.95 },
  express: { addedUs: 8, refused: 1.15 },
  hono: { addedUs: 13, refused: 0.74 },
};

async function run(options: RunOptions): Promise<SectionResult> {
  const tables: Table[] = [];
  const targets: Target[] = [];
  await withServer(start<null, Load, Loaded>(loadFile, null), async (load) => {
    for (const [name, framework] of Object.entries(frameworks)) {
      options.say(`http: ${framework.label}`);
      const measured = await measure(options, load, name, framework);
      tables.push(tableOf(name, framework, measured));
      targets.push(...targetsOf(name, framework, measured));
    }
  });
  return {
    name: "http",
    title: "Guarding an endpoint",
    method: [
      "One endpoint that answers a few bytes of text, in a separate process for each guard; another process sends requests over 32 connections, one at a time on each. " +
        "All servers take turns in many short rounds. Each round begins with another server. The warm-up is long enough for the compiler.",
      "Admitted requests come from new callers, five from each; refused requests come from 16 callers who have used up their quotas. Two header fields identify the caller, for all guards.",
      "The added time is the processor time of the server's process, with all its threads, for each request, minus that of the bare framework in the same round. It does not depend on the speed of the load generator. " +
        "Refused: responses a second, divided by the bare framework's in the same round. " +
        "A figure is the median of the rounds; its range leaves out the lowest and the highest tenth, in which other work on the machine interfered.",
    ],
    tables,
    targets,
  };
}

async function start<S, Q, A>(file: URL, setting: S): Promise<Companion<Q, A>> {
  return startCompanion<S, Q, A>(file, setting);
}

/** One round of one variant. */
interface Round {
  readonly workUs: number;
  readonly perSecond: number;
}

interface Rounds {
  readonly admitted: Round[];
  readonly refused: Round[];
}

type Measured = ReadonlyMap<string, Rounds>;
type Loader = Companion<Load, Loaded>;
type Server = Companion<Question, number>;

async function measure(
  { isQuick }: RunOptions,
  load: Loader,
  name: string,
  { variants }: Framework,
): Promise<Measured> {
  const names = Object.keys(variants);
  const measured = new Map<string, Rounds>(names.map((variant) => [variant, { admitted: [], refused: [] }]));
  const servers = new Map<string, Server>();
  try {
    for (const variant of names) {
      servers.set(
        variant,
        startCompanion<Setting, Question, number>(serverFile, { framework: name, variant }),
      );
    }
    for (const callers of ["new", "same"] as const) {
      await takeTurns({ servers, load, name, callers, measured }, isQuick ? quick : full);
    }
  } finally {
    await Promise.all([...servers.values()].map((server) => server.remove()));
  }
  return measured;
}

interface Pace {
  readonly rounds: number;
  readonly forMs: number;
  readonly warmUpMs: number;
}

const quick: Pace = { rounds: 1, forMs: 50, warmUpMs: 50 };
const full: Pace = { rounds: 30, forMs: 150, warmUpMs: 2_500 };

interface Contest {
  readonly servers: ReadonlyMap<string, Server>;
  readonly load: Loader;
  /** The framework's name. */
  readonly name: string;
  readonly callers: Load["callers"];
  readonly measured: Measured;
}

/** Runs rounds of all servers in turn. Each round begins with another server. */
async function takeTurns(
  { servers, load, name, callers, measured }: Contest,
  { rounds, forMs, warmUpMs }: Pace,
): Promise<void> {
  const names = [...servers.keys()];
  const decided = callers === "new" ? "admitted" : "refused";
  for (const variant of names) await ask(serverOf(servers, variant), load, callers, warmUpMs, warmUpRequests);
  for (let round = 0; round < rounds; round += 1) {
    for (let turn = 0; turn < names.length; turn += 1) {
      const variant = names[(turn + round) % names.length] as string;
      const { loaded, workUs } = await ask(serverOf(servers, variant), load, callers, forMs, 0);
      checkStatuses(
        `${name}, ${variant}`,
        loaded,
        decided === "admitted" || variant === "bare" ? "200" : "429",
      );
      roundsOf(measured, variant)[decided].push({
        workUs: workUs / loaded.requests,
        perSecond: loaded.perSecond,
      });
    }
  }
}

function serverOf(servers: ReadonlyMap<string, Server>, variant: string): Server {
  const server = servers.get(variant);
  if (server === undefined) throw new Error(`${variant} was not started.`);
  return server;
}

async function ask(server: Server, load: Loader, callers: Load["callers"], forMs: number, atLeast: number) {
  const port = await server.ask("port");
  const before = await server.ask("work");
  const loaded = await load.ask({ port, connections, forMs, atLeast, callers });
  return { loaded, workUs: (await server.ask("work")) - before };
}

/** The maximum share of unexpected statuses. After a minute, refused callers have a few requests again. */
const otherwiseAtMost = 0.05;

function checkStatuses(what: string, { byStatus, requests }: Loaded, status: string): void {
  if ((byStatus[status] ?? 0) >= requests * (1 - otherwiseAtMost)) return;
  throw new Error(`${what}: expected ${status} of ${requests} requests, got ${JSON.stringify(byStatus)}.`);
}

function tableOf(name: string, { label, variants }: Framework, measured: Measured): Table {
  const bareUs = medianOf(roundsOf(measured, "bare").admitted.map(({ workUs }) => workUs));
  return {
    id: `http-${name}`,
    title: `${label}, bare ${round(bareUs)} µs a request`,
    columns: [
      { title: "admitted, added", unit: "µs", better: "less" },
      { title: "refused a second, over bare answers a second", unit: "", better: "more" },
    ],
    rows: Object.entries(variants)
      .filter(([variant]) => variant !== "bare")
      .map(([variant, { label: rowLabel, kind, note }]) => ({
        label: rowLabel,
        kind: kindOf(kind),
        note,
        figures: [middleOf(addedUs(measured, variant)), middleOf(refusedOverBare(measured, variant))],
      })),
  };
}

function targetsOf(name: string, framework: Framework, measured: Measured): Target[] {
  const aim = wanted[name];
  if (aim === undefined) return [];
  const { label, variants } = framework;
  const added = (variant: string) => medianOf(addedUs(measured, variant));
  const refused = (variant: string) => medianOf(refusedOverBare(measured, variant));
  const floorText = (figure: string) => `${variants.floor?.label}: ${figure}`;
  return [
    atMostOf(
      `${label}, admitted, added`,
      aim.addedUs,
      "µs",
      added("headgate"),
      floorText(`${round(added("floor"))} µs`),
    ),
    atMost(
      `${label}, admitted, added`,
      0.5,
      `${variants.usual?.label}'s`,
      added("headgate") / added("usual"),
      floorText(`${round(added("floor"))} µs`),
    ),
    atLeast(
      `${label}, refused a second`,
      aim.refused,
      "bare answers a second",
      refused("headgate"),
      floorText(`${round(refused("floor"))} times`),
    ),
  ];
}

function kindOf(kind: Variant["kind"]): Kind {
  if (kind === "headgate" || kind === "floor") return kind;
  return "peer";
}

/** Returns the median of all values, with the range without the lowest and the highest tenth. */
function middleOf(values: readonly number[]): Figure {
  const sorted = [...values].sort((a, b) => a - b);
  const outside = Math.floor(sorted.length / 10);
  return { ...figureOf(sorted.slice(outside, sorted.length - outside)), rounds: sorted.length };
}

function addedUs(measured: Measured, variant: string): number[] {
  const bare = roundsOf(measured, "bare").admitted;
  return roundsOf(measured, variant).admitted.map(({ workUs }, index) => workUs - (bare[index]?.workUs ?? 0));
}

function refusedOverBare(measured: Measured, variant: string): number[] {
  const bare = roundsOf(measured, "bare").refused;
  return roundsOf(measured, variant).refused.map(
    ({ perSecond }, index) => perSecond / (bare[index]?.perSecond ?? 1),
  );
}

function roundsOf(measured: Measured, variant: string): Rounds {
  const rounds = measured.get(variant);
  if (rounds === undefined) throw new Error(`${variant} was not measured.`);
  return rounds;
}
