import { calendarNames } from "../../core/calendar.ts";
import type { Cost } from "../../core/cost.ts";
import { algorithmNames, defineLimit, formatLimit, type Limit, type LimitOptions } from "../../core/limit.ts";
import { memoryStore } from "../../stores/memory/index.ts";
import { type OracleDecision, oracle } from "../oracle.ts";
import { expectSame } from "./expect.ts";
import type { Case } from "./laws.ts";
import { type Random, seeded } from "./random.ts";
import { type Decision, type Place, startTrial, type Trial } from "./trial.ts";

const tenYears = 10 * 365 * 24 * 3600 * 1000;

/**
 * Chooses a scale. In some scripts quotas and costs are larger, so that some or all sliding windows have coarse logs.
 */
function randomScale(random: Random): number {
  return random.oneOf([1, 1, 250, 2000]);
}

function randomLimit(random: Random, scale: number): Limit {
  const windowMs = random.once(8)
    ? random.between(1, tenYears)
    : random.oneOf([random.between(1, 200), random.between(1, 200), 1000, 10_000, 60_000]);
  const algorithm = random.oneOf(algorithmNames);
  const unit = algorithm === "concurrent" ? "concurrent" : random.oneOf(["requests", "requests", "tokens"]);
  const limit: LimitOptions = { quota: random.between(1, 9) * scale, windowMs, unit, algorithm };
  if (algorithm !== "fixed-window") return defineLimit(limit);
  if (random.once(3)) {
    const timeZone = random.oneOf(["UTC", "Europe/London", "Australia/Lord_Howe", "America/Santiago"]);
    return defineLimit({ ...limit, windowMs: 86_400_000, calendar: random.oneOf(calendarNames), timeZone });
  }
  return defineLimit(random.once(2) ? { ...limit, from: "first-use" } : limit);
}

function randomLayer(random: Random, scale: number): Limit[] {
  const limits = new Map<string, Limit>();
  for (let n = random.between(1, 3); n > 0; n -= 1) {
    const limit = randomLimit(random, scale);
    limits.set(formatLimit(limit), { ...limit, name: `limit${n}` });
  }
  return [...limits.values()];
}

function randomCost(random: Random, scale: number): Cost {
  const cost: Record<string, number> = {};
  for (const unit of ["requests", "tokens", "concurrent"]) {
    if (random.once(2)) cost[unit] = random.once(4) ? 0 : random.between(1, random.oneOf([2, 4, 10])) * scale;
  }
  return cost;
}

function randomPause(random: Random, lastWait: number): number {
  if (random.once(3)) return Number.isFinite(lastWait) ? lastWait : 0;
  return random.once(6) ? random.between(0, tenYears) : random.between(0, 80);
}

interface Layer {
  readonly limits: readonly Limit[];
  readonly name: string;
}

function placesOf(trial: Trial, layers: readonly Layer[], keys: readonly number[]): Place[] {
  return layers.flatMap(({ limits, name }, l) =>
    keys[l] === 2 ? [] : [trial.place(limits, `caller${keys[l]}`, name)],
  );
}

/** Compares decisions and peeks with the oracle. */
export async function playOracle(trial: Trial, seed: number): Promise<void> {
  const random = seeded(seed);
  const scale = randomScale(random);
  const layers = randomLayers(random, scale);
  const truth = oracle();
  let lastWait = 0;
  for (let step = 0; step < 30; step += 1) {
    if (random.once(3)) trial.clock.advance(randomPause(random, lastWait));
    const places = placesOf(
      trial,
      layers,
      layers.map(() => random.between(0, 2)),
    );
    const cost = random.once(scale === 1 ? 2 : 8) ? {} : randomCost(random, scale);
    const peek = random.once(4);
    const charges = places.map(({ space, key, limits }) => ({ space, key, limits: limits.limits }));
    const wanted: OracleDecision = truth.decide(charges, cost, trial.clock.now(), peek);
    const got = peek ? await trial.peek(places, cost) : await trial.admit(places, cost);
    const what = `script ${seed}, step ${step}: ${peek ? "peek" : "admit"} ${JSON.stringify(cost)} of ${places
      .map(({ limits }) => limits.limits.map(formatLimit).join("; "))
      .join(" | ")}`;
    expectSame(got.admitted, wanted.admitted, `${what}: admitted`);
    expectSame(got.readings.map(bare), wanted.readings, `${what}: readings`);
    lastWait = got.waitMs;
  }
}

/** The decisions of the store under test and of the memory store about one request. */
interface Pair {
  readonly got: Decision;
  readonly wanted: Decision;
}

/** Compares all operations of a store with the memory store. */
export async function playMemory(trial: Trial, seed: number): Promise<void> {
  const random = seeded(seed);
  const scale = randomScale(random);
  const layers = randomLayers(random, scale);
  const memory = startTrial(memoryStore(), trial.clock);
  const decisions: Pair[] = [];
  let lastWait = 0;
  for (let step = 0; step < 40; step += 1) {
    if (random.once(3)) trial.clock.advance(randomPause(random, lastWait));
    const keys = layers.map(() => random.between(0, 2));
    const [places, same] = [placesOf(trial, layers, keys), placesOf(memory, layers, keys)];
    const cost = random.once(scale === 1 ? 2 : 8) ? {} : randomCost(random, scale);
    const earlier = decisions[random.between(0, Math.max(5, decisions.length))];
    const action = random.oneOf(actions);
    const what = `script ${seed}, step ${step}: ${action} ${JSON.stringify(cost)}`;
    if (action === "reset") {
      if (!random.once(4)) continue;
      await trial.reset(...places);
      await memory.reset(...same);
    } else if (action === "admit" || action === "peek" || action === "hold" || action === "spend") {
      const got = await trial[action](places, cost);
      const wanted = await memory[action](same, cost);
      expectSame(got.admitted, wanted.admitted, `${what}: admitted`);
      expectSame(got.readings.map(plain), wanted.readings.map(plain), `${what}: readings`);
      if (got.admitted && action !== "peek") decisions.push({ got, wanted });
      lastWait = got.waitMs;
    } else if (earlier !== undefined) {
      const { got, wanted } = earlier;
      if (action === "extend") {
        const [mine, theirs] = [await trial.extend(got, cost), await memory.extend(wanted, cost)];
        expectSame(mine.admitted, theirs.admitted, `${what}: admitted`);
        expectSame(mine.refusedFor, theirs.refusedFor, `${what}: what it was refused for`);
        expectSame(mine.readings.map(plain), theirs.readings.map(plain), `${what}: readings`);
      } else {
        const amounts = random.once(2) ? undefined : partOf(got, random, action);
        const [mine, theirs] = [await trial[action](got, amounts), await memory[action](wanted, amounts)];
        expectSame(
          mine.readings.map(plain),
          theirs.readings.map(plain),
          `${what} ${JSON.stringify(amounts)}`,
        );
        // Sometimes keep an ended reservation: later calls must not change anything.
        if (action !== "report" && !random.once(3)) decisions.splice(decisions.indexOf(earlier), 1);
      }
    }
    for (const [n, place] of places.entries()) {
      const theirs = same[n] as Place;
      expectSame(
        plain(await trial.read(place)),
        plain(await memory.read(theirs)),
        `${what}: readings of ${place.limits.limits.map(formatLimit).join("; ")} afterwards`,
      );
    }
  }
}

const actions = [
  "admit",
  "admit",
  "admit",
  "hold",
  "hold",
  "peek",
  "spend",
  "refund",
  "report",
  "extend",
  "end",
  "reset",
] as const;

/** Returns a random part of the used or held units. For a report or an end it may be more. */
function partOf({ reservation }: Decision, random: Random, action: "refund" | "report" | "end"): Cost {
  const most = new Map<string, number>();
  for (const [c, { limits }] of reservation.places.entries()) {
    for (const [g, { unit }] of limits.groups.entries()) {
      const used = reservation.used[c]?.[g] ?? 0;
      const held = reservation.held[c]?.[g] ?? 0;
      // Places are held and given back, never used.
      if (unit !== "concurrent")
        most.set(unit, action === "refund" ? used : used + held + random.between(0, 2));
      else if (action === "refund") most.set(unit, held);
    }
  }
  return Object.fromEntries([...most].map(([unit, amount]) => [unit, random.between(0, amount)]));
}

function randomLayers(random: Random, scale: number): Layer[] {
  return Array.from({ length: random.between(1, 3) }, (_, l) => ({
    limits: randomLayer(random, scale),
    name: `layer${l}`,
  }));
}

function plain(readings: Decision["readings"][number]) {
  return readings.map(({ remaining, waitMs, resetMs, holders = false }) => ({
    remaining,
    waitMs,
    resetMs,
    holders,
  }));
}

/** Returns only the values that the oracle computes. */
function bare(readings: Decision["readings"][number]) {
  return readings.map(({ remaining, waitMs, resetMs }) => ({ remaining, waitMs, resetMs }));
}

/** @param count how many scripts of each kind to play. */
export function scripts(count: number): readonly Case[] {
  const seeds = Array.from({ length: count }, (_, n) => n + 1);
  return [
    {
      name: `decides by the definitions of the algorithms, in ${count} random scripts`,
      async run(trial) {
        for (const seed of seeds) await playOracle(fresh(trial), seed);
      },
    },
    {
      name: `refunds, spends, renews and resets like the memory store, in ${count} random scripts`,
      async run(trial) {
        for (const seed of seeds) await playMemory(fresh(trial), seed);
      },
    },
  ];
}

/** Returns the same store with new partitions, at the start time of every script. */
function fresh({ store, clock }: Trial): Trial {
  clock.set(Date.UTC(2026, 0, 1));
  return startTrial(store, clock);
}
