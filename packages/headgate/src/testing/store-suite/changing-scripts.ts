import { defineLimit, type Limit } from "../../core/limit.ts";
import { memoryStore } from "../../stores/memory/index.ts";
import { expectSame } from "./expect.ts";
import type { Case } from "./laws.ts";
import { type Random, seeded } from "./random.ts";
import { type Decision, type Place, startTrial, type Trial } from "./trial.ts";

/**
 * The windows mostly have the same length, so that states are shared, and are short, so that settlements often belong
 * to the previous step.
 */
const windowsMs = [50, 50, 50, 80, 200, 60_000] as const;

function randomLimit(random: Random, unit: string): Limit {
  const limit = { quota: random.between(1, 9), windowMs: random.oneOf(windowsMs), unit };
  switch (random.between(0, 5)) {
    case 0:
      return defineLimit({ ...limit, algorithm: "token-bucket" });
    case 1:
      return defineLimit({ ...limit, algorithm: "fixed-window" });
    case 2:
      return defineLimit({ ...limit, algorithm: "fixed-window", from: "first-use" });
    case 3:
    case 4:
      return defineLimit({ ...limit, algorithm: "sliding-counter" });
    default:
      return defineLimit({ ...limit, algorithm: "sliding-window" });
  }
}

/**
 * Returns the limits of one plan of a layer. Only the first plan may have two limits of requests, so there are at most
 * four states of a unit.
 */
function randomPlan(random: Random, n: number): Limit[] {
  const limits = [{ ...randomLimit(random, "requests"), name: "first" }];
  if (n === 0 && random.once(3)) limits.push({ ...randomLimit(random, "requests"), name: "second" });
  if (random.once(3)) limits.push({ ...randomLimit(random, "tokens"), name: "tokens" });
  const [first, second] = limits;
  return JSON.stringify({ ...first, name: "" }) === JSON.stringify({ ...second, name: "" })
    ? [first as Limit]
    : limits;
}

/** Compares plans that change with every request with the memory store. */
export async function playChanges(trial: Trial, seed: number): Promise<void> {
  const random = seeded(seed);
  const plans = Array.from({ length: 3 }, (_, n) => randomPlan(random, n));
  const memory = startTrial(memoryStore(), trial.clock);
  const [first, same] = [trial.place(plans[0] ?? []), memory.place(plans[0] ?? [])];
  // Both stores know all plans from the beginning, because a layer's memory depends on them.
  const places = plans.map((one) => trial.under(first, one));
  const theirs = plans.map((one) => memory.under(same, one));
  const decisions: { got: Decision; wanted: Decision }[] = [];
  for (let step = 0; step < 30; step += 1) {
    if (random.once(2)) trial.clock.advance(random.oneOf([1, 7, 20, 33, 50, 51, 90]));
    const plan = random.between(0, plans.length - 1);
    const [place, other] = [places[plan] as Place, theirs[plan] as Place];
    const cost = { requests: random.between(1, 3), tokens: random.between(0, 3) };
    const earlier = decisions[random.between(0, decisions.length)];
    const action = random.oneOf(["admit", "admit", "admit", "admit", "spend", "refund", "peek", "reset"]);
    const what = `script ${seed} of changing plans, step ${step}: ${action} under plan ${plan} of ${JSON.stringify(plans)}`;
    if (action === "reset" && random.once(5)) {
      await trial.reset(place);
      await memory.reset(other);
      decisions.length = 0;
    } else if (action === "refund" && earlier !== undefined) {
      const got = await trial.refund(earlier.got);
      const wanted = await memory.refund(earlier.wanted);
      expectSame(got.readings, wanted.readings, what);
      decisions.splice(decisions.indexOf(earlier), 1);
    } else if (action === "spend" || action === "admit" || action === "peek") {
      const got = await trial[action](place, cost);
      const wanted = await memory[action](other, cost);
      expectSame(got.admitted, wanted.admitted, `${what}: admitted`);
      expectSame(got.readings, wanted.readings, `${what}: readings`);
      if (got.admitted && action !== "peek") decisions.push({ got, wanted });
    }
    for (const [n, each] of places.entries()) {
      const wanted = await memory.read(theirs[n] as Place);
      expectSame(await trial.read(each), wanted, `${what}: readings of plan ${n} afterwards`);
    }
  }
}

/** @param count how many scripts to play. */
export function changingScripts(count: number): readonly Case[] {
  return [
    {
      name: `counts under changing plans like the memory store, in ${count} random scripts`,
      async run({ store, clock }) {
        for (let seed = 1; seed <= count; seed += 1) {
          clock.set(Date.UTC(2026, 0, 1));
          await playChanges(startTrial(store, clock), seed);
        }
      },
    },
  ];
}
