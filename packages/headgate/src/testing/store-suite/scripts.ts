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

/** In some scripts quotas and costs are so much larger that sliding windows have coarse logs, or some of them have. */
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

/** Decisions and peeks, against the definitions. */
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
    expectSame(got.readings.map(plain), wanted.readings, `${what}: readings`);
    lastWait = got.waitMs;
  }
}

/** Everything that a store can do, against the memory store. */
export async function playMemory(trial: Trial, seed: number): Promise<void> {
  const random = seeded(seed);
  const scale = randomScale(random);
  const layers = randomLayers(random, scale);
  const memory = startTrial(memoryStore(), trial.clock);
  let decisions: { got: Decision; wanted: Decision; renewedAt: number }[] = [];
  let lastWait = 0;
  for (let step = 0; step < 30; step += 1) {
    if (random.once(3)) trial.clock.advance(randomPause(random, lastWait));
    const keys = layers.map(() => random.between(0, 2));
    const [places, same] = [placesOf(trial, layers, keys), placesOf(memory, layers, keys)];
    const cost = random.once(scale === 1 ? 2 : 8) ? {} : randomCost(random, scale);
    const what = `script ${seed}, step ${step}`;
    // Of leases that have ended there is a test of its own.
    decisions = decisions.filter(({ got, renewedAt }) => trial.clock.now() < renewedAt + leaseMsOf(got));
    const earlier = decisions[random.between(0, Math.max(5, decisions.length))];
    const action = random.oneOf(["admit", "admit", "admit", "peek", "spend", "refund", "renew", "reset"]);
    if (action === "reset" && random.once(4)) {
      await trial.reset(...places);
      await memory.reset(...same);
      // Nobody gives back what has been forgotten.
      decisions = decisions.filter(({ got }) => !meets(got, places));
    } else if (action === "refund" && earlier !== undefined) {
      const amounts = random.once(2) ? undefined : partOf(earlier.got, random);
      const got = await trial.refund(earlier.got, amounts);
      const wanted = await memory.refund(earlier.wanted, amounts);
      expectSame(
        got.readings.map(plain),
        wanted.readings.map(plain),
        `${what}: refund ${JSON.stringify(amounts)}`,
      );
      // Nobody gives back twice.
      decisions.splice(decisions.indexOf(earlier), 1);
    } else if (action === "renew" && earlier !== undefined) {
      const got = await trial.renew(earlier.got);
      const wanted = await memory.renew(earlier.wanted);
      earlier.renewedAt = trial.clock.now();
      expectSame(got.readings.map(plain), wanted.readings.map(plain), `${what}: renew`);
    } else if (action === "spend") {
      const got = await trial.spend(places, cost);
      const wanted = await memory.spend(same, cost);
      expectSame(
        got.readings.map(plain),
        wanted.readings.map(plain),
        `${what}: spend ${JSON.stringify(cost)}`,
      );
      decisions.push({ got, wanted, renewedAt: trial.clock.now() });
    } else if (action === "admit" || action === "peek") {
      const [got, wanted] =
        action === "admit"
          ? [await trial.admit(places, cost), await memory.admit(same, cost)]
          : [await trial.peek(places, cost), await memory.peek(same, cost)];
      expectSame(got.admitted, wanted.admitted, `${what}: ${action} ${JSON.stringify(cost)}: admitted`);
      expectSame(
        got.readings.map(plain),
        wanted.readings.map(plain),
        `${what}: ${action} ${JSON.stringify(cost)}: readings`,
      );
      if (got.charged.length > 0) decisions.push({ got, wanted, renewedAt: trial.clock.now() });
      lastWait = got.waitMs;
    }
    for (const [n, place] of places.entries()) {
      const theirs = same[n] as Place;
      expectSame(
        plain(await trial.read(place)),
        plain(await memory.read(theirs)),
        `${what}: ${action}: readings of ${place.limits.limits.map(formatLimit).join("; ")} afterwards`,
      );
    }
  }
}

/** Some of what was spent, and never more. */
function partOf({ charged }: Decision, random: Random): Cost {
  const spent = new Map<string, number>();
  for (const { limits, spends } of charged) {
    for (const [g, { unit }] of limits.groups.entries()) spent.set(unit, spends[g] ?? 0);
  }
  return Object.fromEntries([...spent].map(([unit, amount]) => [unit, random.between(0, amount)]));
}

function leaseMsOf({ charged }: Decision): number {
  return Math.min(...charged.map(({ limits }) => limits.leaseMs));
}

function meets({ charged }: Decision, places: readonly Place[]): boolean {
  return charged.some((one) => places.some(({ space, key }) => one.space === space && one.key === key));
}

function randomLayers(random: Random, scale: number): Layer[] {
  return Array.from({ length: random.between(1, 3) }, (_, l) => ({
    limits: randomLayer(random, scale),
    name: `layer${l}`,
  }));
}

function plain(readings: Decision["readings"][number]) {
  return readings.map(({ remaining, waitMs, resetMs }) => ({ remaining, waitMs, resetMs }));
}

/** @param count how many scripts of each kind are played. */
export function scripts(count: number): readonly Case[] {
  const seeds = Array.from({ length: count }, (_, n) => n + 1);
  return [
    {
      name: `decides as the definitions do, in ${count} random scripts`,
      async run(trial) {
        for (const seed of seeds) await playOracle(fresh(trial), seed);
      },
    },
    {
      name: `refunds, spends, renews and resets as the memory store does, in ${count} random scripts`,
      async run(trial) {
        for (const seed of seeds) await playMemory(fresh(trial), seed);
      },
    },
  ];
}

/** The same store, in which no partition has been used yet, at a moment that every script begins with. */
function fresh({ store, clock }: Trial): Trial {
  clock.set(Date.UTC(2026, 0, 1));
  return startTrial(store, clock);
}
