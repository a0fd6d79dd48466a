import { startPostgres } from "@headgate/test-servers/postgres.ts";
import { startRedis } from "@headgate/test-servers/redis.ts";
import { type Companion, startCompanion } from "../measuring/companion.ts";
import { type Figure, figureOf } from "../measuring/figures.ts";
import { withServer } from "../measuring/servers.ts";
import type { RunOptions, Section, SectionResult, Table } from "../report/result.ts";
import { atMost, atMostOf, ofRow } from "../report/targets.ts";
import type { Decided, Question, Setting } from "./process.ts";
import { type ServerTime, timeOfPostgres, timeOfRedis } from "./server-time.ts";
import {
  alone,
  company,
  large,
  layers,
  limits,
  otherAlgorithms,
  quotas,
  type Situation,
  shortened,
  usual,
} from "./situations.ts";

export const growth: Section = {
  name: "growth",
  run: (options) =>
    withServer(startRedis(), (redis) =>
      withServer(startPostgres(["track_functions=pl"]), (postgres) =>
        run(options, [
          { title: "memory", url: "memory", decisions: 20_000 },
          { title: "Redis", url: redis.url, decisions: 500, time: timeOfRedis(redis) },
          {
            title: "PostgreSQL",
            url: postgres.url,
            decisions: 200,
            time: timeOfPostgres(postgres, options.isQuick),
          },
        ]),
      ),
    ),
};

interface Place {
  readonly title: string;
  readonly url: string;
  /** The number of decisions in each stretch. */
  readonly decisions: number;
  /** Absent for memory, where the deciding process is the store. */
  readonly time?: ServerTime;
}

const file = new URL("./process.ts", import.meta.url);

interface Holders {
  readonly label: string;
  /** Whether one caller has all holds, or each hold has a different caller. */
  readonly areShared: boolean;
  readonly beating: "all" | "one";
}

const oneAmongMany: Holders = {
  label: "one hold, among those of one caller",
  areShared: true,
  beating: "one",
};
const holders: readonly Holders[] = [
  oneAmongMany,
  { label: "all holds of one caller", areShared: true, beating: "all" },
  { label: "all holds, of as many callers", areShared: false, beating: "all" },
];
const mostBeatUs = 150;

async function run({ isQuick, say }: RunOptions, places: readonly Place[]): Promise<SectionResult> {
  const rounds = isQuick ? 1 : 3;
  const holds = isQuick ? 100 : 2_000;
  const startMs = Date.now();

  type Process = Companion<Question, Decided | undefined>;
  const inProcess = <Result>({ url }: Place, work: (process: Process) => Promise<Result>) => {
    const starting = startCompanion<Setting, Question, Decided | undefined>(file, { store: url, startMs });
    return withServer(Promise.resolve(starting), work);
  };

  /** Returns the time of a decision in microseconds: in the process for memory, otherwise in the server. */
  async function decision(place: Place, measured: Situation): Promise<number> {
    const situation = isQuick ? shortened(measured) : measured;
    const decisions = isQuick ? 20 : place.decisions;
    const fill = (process: Process) => process.ask({ do: "fill", situation });
    const decide = async (process: Process) =>
      (await process.ask({ do: "decide", situation, decisions })) as Decided;
    const { time } = place;
    if (time === undefined) {
      return inProcess(place, async (process) => {
        await fill(process);
        return (await decide(process)).microseconds;
      });
    }
    await time.clear();
    await inProcess(place, fill);
    await time.begin();
    const decided = await inProcess(place, decide);
    return (await time.read()) / decided.decisions;
  }

  /** Returns the server's time for the heartbeat of a hold, in microseconds. */
  async function heartbeat(place: Place, time: ServerTime, { areShared, beating }: Holders): Promise<number> {
    const [beats, pauseMs] = isQuick ? [1, 1_000] : beating === "all" ? [3, 1_000] : [200, 20];
    await time.clear();
    await inProcess(place, async (process) => {
      await process.ask({ do: "hold", holds, callers: areShared ? 1 : holds, beating });
      await time.begin();
      await process.ask({ do: "beat", beats, pauseMs });
    });
    return (await time.read()) / beats / (beating === "all" ? holds : 1);
  }

  async function figures<Of>(
    all: readonly Of[],
    measure: (one: Of) => Promise<number>,
  ): Promise<ReadonlyMap<Of, Figure>> {
    const values = new Map<Of, number[]>(all.map((one) => [one, []]));
    for (let round = 0; round < rounds; round += 1) {
      for (const one of all) values.get(one)?.push(await measure(one));
    }
    return new Map([...values].map(([one, measured]) => [one, figureOf(measured)]));
  }

  async function tableOf(id: string, title: string, all: readonly Situation[]): Promise<Table> {
    const situations = isQuick ? [all[0] as Situation, all.at(-1) as Situation] : all;
    const byPlace: ReadonlyMap<Situation, Figure>[] = [];
    for (const place of places) {
      say(`growth: ${title}, ${place.title}`);
      byPlace.push(await figures(situations, (situation) => decision(place, situation)));
    }
    return {
      id: `growth-${id}`,
      title,
      base: (situations[0] as Situation).label,
      columns: places.map((place) => ({ title: place.title, unit: "µs a decision", better: "less" })),
      rows: situations.map((situation) => ({
        label: situation.label,
        kind: "headgate",
        note: situation.note ?? "",
        figures: byPlace.map((measured) => measured.get(situation) ?? null),
      })),
    };
  }

  async function heartbeats(): Promise<Table> {
    say("growth: heartbeats");
    const shared = places.flatMap((place) => (place.time ? [{ place, time: place.time }] : []));
    const rows = holders.flatMap((each) => shared.map((one) => ({ ...one, holders: each })));
    const measured = await figures(rows, (row) => heartbeat(row.place, row.time, row.holders));
    return {
      id: "growth-heartbeat",
      title: `Heartbeats of ${holds.toLocaleString("en")} holds`,
      base: oneAmongMany.label,
      columns: shared.map(({ place }) => ({ title: place.title, unit: "µs a hold", better: "less" })),
      rows: holders.map((each) => ({
        label: each.label,
        kind: "headgate",
        note: "",
        figures: rows.filter((row) => row.holders === each).map((row) => measured.get(row) ?? null),
      })),
    };
  }

  const inCompany = await tableOf("company", "A decision, with other things next to it", company);
  // A quick run only checks that the section works, so it measures only the tables with targets.
  const bySize = isQuick
    ? []
    : [
        await tableOf("layers", "With more layers, of one limit each", layers),
        await tableOf("limits", "With more limits in one layer", limits),
      ];
  const byQuota = await tableOf("quota", "With a larger quota, used steadily by one caller", quotas);
  const beats = await heartbeats();
  const ratio = (table: Table, label: string, base: string, column: number) =>
    ofRow(table, column, label) / ofRow(table, column, base);
  const most = [1.2, 1.5, 1.5];
  return {
    name: "growth",
    title: "How the cost of a decision grows",
    method: [
      "One decision at a time. In memory, the figure is the time in the process. On Redis and PostgreSQL, it is the time that the server itself counts for Headgate's calls, " +
        "without the network and the client. Each measurement is a separate process; situations take turns, round by round.",
      "50 callers have used an hour's quota steadily and continue at that pace, so that their logs are full and each request replaces an entry. " +
        "All requests are admitted. The clock moves forward for each request. In the table of quotas, one caller uses a day's quota in the same way.",
      "A heartbeat renews all holds of a process, in calls of several holds. The figure is the server's time for each hold.",
    ],
    tables: [inCompany, ...bySize, byQuota, beats],
    targets: [
      atMost(
        "in memory, with limiters of three other algorithms",
        1.1,
        "the time alone",
        ratio(inCompany, otherAlgorithms, alone, 0),
      ),
      ...places.map(({ title }, column) =>
        atMost(
          `${large}, ${title}`,
          most[column] as number,
          `the time of ${usual}`,
          ratio(byQuota, large, usual, column),
        ),
      ),
      ...beats.columns.map(({ title }, column) =>
        atMostOf(
          `the heartbeat of one hold among ${holds.toLocaleString("en")}, ${title}`,
          mostBeatUs,
          "µs of the server",
          ofRow(beats, column, oneAmongMany.label),
        ),
      ),
    ],
  };
}
