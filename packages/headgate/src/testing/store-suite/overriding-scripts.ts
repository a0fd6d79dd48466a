import { blocked, type Override } from "../../core/override.ts";
import { memoryStore } from "../../stores/memory/index.ts";
import { expectSame } from "./expect.ts";
import type { Case } from "./laws.ts";
import { type Random, seeded } from "./random.ts";
import { type Decision, type Place, startTrial, type Trial } from "./trial.ts";

const limitTexts = [
  "4/50 milliseconds; 9/minute",
  "3/50 milliseconds fixed-window; 6 tokens/80 milliseconds",
  "5/50 milliseconds token-bucket",
  "4/50 milliseconds; 2 concurrent",
  "2/50 milliseconds",
] as const;

const actions = [
  "admit",
  "admit",
  "admit",
  "hold",
  "peek",
  "spend",
  "refund",
  "extend",
  "end",
  "block",
  "override",
  "unblock",
  "reset",
] as const;

/** One of the two stores, and its partitions with the overrides that requests are made under. */
interface Side {
  readonly trial: Trial;
  readonly places: Place[];
}

/** Returns some of the partitions, each under its known override or its own limits. */
function asked({ places }: Side, chosen: readonly number[]): Place[] {
  return chosen.map((n) => places[n] as Place);
}

/** Compares blocks and overrides that come and go among requests with the memory store. */
export async function playOverrides(trial: Trial, seed: number): Promise<void> {
  const random = seeded(seed);
  const both = [trial, startTrial(memoryStore(), trial.clock)].map(
    (one): Side => ({
      trial: one,
      places: [0, 1, 2].map((n) => one.place(limitTexts[n] ?? "1/minute", `caller${n}`, `layer${n % 2}`)),
    }),
  );
  const decisions: Decision[][] = [];
  for (let step = 0; step < 40; step += 1) {
    if (random.once(2)) trial.clock.advance(random.oneOf([1, 7, 20, 33, 50, 51, 90]));
    const chosen = [0, 1, 2].filter(() => random.once(2));
    const action = random.oneOf(actions);
    const cost = { requests: random.between(0, 2), tokens: random.between(0, 2) };
    const earlier = decisions[random.between(0, decisions.length)];
    const terms = termsOf(random, trial.clock.now());
    const what = `script ${seed} of overrides, step ${step}: ${action} ${JSON.stringify(cost)} of ${chosen}`;
    const answers: unknown[] = [];
    const made: Decision[] = [];
    for (const [s, side] of both.entries()) {
      const { trial: mine } = side;
      const places = asked(side, chosen);
      if (action === "reset") {
        await mine.reset(...places);
      } else if (action === "unblock") {
        await mine.unblock(places);
      } else if (action === "block") {
        await mine.block(places, terms);
      } else if (action === "override") {
        const limits = limitTexts[(step + chosen.length) % limitTexts.length] as string;
        const override = await mine.override(places, { ...terms, limits });
        // Some of the next requests know the override, and some do not.
        for (const [nth, n] of chosen.entries())
          if ((nth + step) % 3 > 0)
            side.places[n] = { ...mine.under(side.places[n] as Place, limits), override };
      } else if (action === "admit" || action === "hold" || action === "peek" || action === "spend") {
        const decision = await mine[action](places, cost);
        answers.push(plain(decision));
        if (decision.admitted && action !== "peek") made.push(decision);
        for (const [nth, n] of chosen.entries()) learn(side, n, decision.overrides, nth);
      } else if (earlier !== undefined) {
        const decision = earlier[s] as Decision;
        if (action === "extend") answers.push(plain(await mine.extend(decision, cost)));
        else answers.push((await mine[action](decision)).readings.map(comparable));
      }
    }
    if (made.length === both.length) decisions.push(made);
    expectSame(answers[0], answers[1], what);
    const readings = await Promise.all(
      both.map(({ trial: mine, places }) =>
        Promise.all(places.map(async (one) => comparable(await mine.read(one)))),
      ),
    );
    expectSame(readings[0], readings[1], `${what}: readings afterwards`);
  }
}

function termsOf(random: Random, now: number) {
  if (random.once(4)) return { reason: "for good" };
  return random.once(2) ? { forMs: random.between(1, 120) } : { until: now + random.between(1, 120) };
}

/** After a refusal as `overridden`, later requests are made under the override in force. */
function learn(side: Side, n: number, overrides: Decision["overrides"], nth: number): void {
  if (overrides === undefined) return;
  const override = overrides[nth];
  const { override: _, ...place } = side.places[n] as Place;
  if (override === undefined || override.limits === blocked) side.places[n] = place;
  else side.places[n] = { ...side.trial.under(place, override.limits), override };
}

function plain({ admitted, refusedFor, readings, overrides }: Decision) {
  return { admitted, refusedFor, readings: readings.map(comparable), overrides: overrides?.map(withoutId) };
}

function withoutId(override: Override | undefined): Omit<Override, "id"> | undefined {
  if (override === undefined) return undefined;
  const { id: _, ...rest } = override;
  return rest;
}

function comparable(readings: Decision["readings"][number]) {
  return readings.map(({ remaining, waitMs, resetMs, holders = false }) => ({
    remaining,
    waitMs,
    resetMs,
    holders,
  }));
}

/** @param count how many scripts to play. */
export function overridingScripts(count: number): readonly Case[] {
  return [
    {
      name: `blocks and overrides like the memory store, in ${count} random scripts`,
      async run({ store, clock }) {
        for (let seed = 1; seed <= count; seed += 1) {
          clock.set(Date.UTC(2026, 0, 1));
          await playOverrides(startTrial(store, clock), seed);
        }
      },
    },
  ];
}
