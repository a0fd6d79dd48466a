import { record } from "@headgate/test-servers/recording.ts";
import { describe, expect, it } from "vitest";
import type { Claim } from "../../core/claim.ts";
import { amountsOf } from "../../core/cost.ts";
import { compileLimits } from "../../core/limit-set.ts";
import type { Charge, Outcome, Store } from "../../core/store.ts";
import { memoryStore } from "../../stores/memory/index.ts";
import { inDoubt } from "../../stores/shared/in-doubt.ts";
import { seeded } from "../store-suite/random.ts";
import { ModelStore, type Place } from "./model-store.ts";
import { mutants } from "./mutants.ts";
import { type Loss, type RecordedCall, unexplained } from "./recorded.ts";
import { coreTransitions as core, type Transitions } from "./transitions.ts";
import { start } from "./world.ts";

function placesOf(...layers: string[]): Place[] {
  return layers.map((limits, l) => ({
    space: `layer${l}`,
    key: "caller",
    limits: compileLimits("layer", limits),
  }));
}

/** Returns the model with a fault, as a store. */
function faulty(transitions: Partial<Transitions>): Store {
  const model = new ModelStore({ ...core, ...transitions });
  return {
    name: "model",
    claims: true,
    remote: true,
    decide: (charges, now, peek, hold, claim) => model.decide(charges, now, peek, hold, undefined, claim),
    adjust: (adjustments, now) => model.adjust(adjustments, now),
    reset() {},
  };
}

/**
 * Records the calls of processes that share a store (all in this process). Some requests and replies are lost, and some
 * processes are killed.
 */
async function history(
  store: Store,
  places: readonly Place[],
  seed: number,
  unit = "tokens",
): Promise<RecordedCall[]> {
  const random = seeded(seed);
  let late: (() => unknown)[] = [];
  /** @param isRepeatable whether the network may deliver the call twice, because the result is the same. */
  const weather = (send: () => Outcome | Promise<Outcome>, isRepeatable: boolean, isExtension: boolean) => {
    if (random.once(3)) for (const one of late.splice(0)) one();
    if (isRepeatable && random.once(4)) late.push(send);
    if (random.once(isExtension ? 4 : 16)) late.push(send);
    else if (!random.once(16)) {
      return Promise.resolve(send()).then((outcome) => {
        if (random.once(12)) throw inDoubt(new Error("reply lost"));
        return outcome;
      });
    }
    throw inDoubt(new Error("request lost, or late"));
  };
  const through: Store = {
    ...store,
    decide: (...words) => weather(() => store.decide(...words), false, (words[3]?.seq ?? 0) > 1),
    adjust: (...words) => weather(() => store.adjust(...words), true, false),
  };
  const calls: RecordedCall[] = [];
  let moment = 0;
  let processes = 0;
  const begin = () => {
    processes += 1;
    const own: number[] = [];
    return record({
      store: () => through,
      setting: { places, unit, claims: seed % 3 === 0 },
      process: processes,
      seed: 1000 * seed + processes,
      longestCallMs: 1_000,
      journal: {
        sent(n, call) {
          moment += 1;
          own[n] =
            calls.push({ ...call, sentAt: moment, endedAt: Number.POSITIVE_INFINITY } as RecordedCall) - 1;
        },
        ended(n, _, outcome) {
          moment += 1;
          const at = own[n] as number;
          if (outcome !== "not applied")
            calls[at] = { ...(calls[at] as RecordedCall), endedAt: moment, outcome };
        },
      },
    });
  };
  let running = [begin(), begin()];
  let now = start;
  for (let round = 0; round < 10; round += 1) {
    now += random.oneOf([1, 5_000, 20_000, 31_000, 70_000]);
    await Promise.all(running.map((one) => one.round(now, 3)));
    if (random.once(3)) running = [begin(), ...running.slice(1)];
    moment += 1;
    // No request arrives after its round.
    late = [];
    for (const [n, call] of calls.entries())
      if (call.endedAt === Number.POSITIVE_INFINITY) calls[n] = { ...call, endedAt: moment };
  }
  return calls;
}

const settings: [layers: string[], unit?: string][] = [
  [["6 tokens/minute sliding-window; 4/minute", "8 tokens/minute"]],
  [["9 tokens/minute token-bucket; 5/minute fixed-window"]],
  [["3 concurrent; 6/minute", "2 concurrent"], "concurrent"],
];

describe("a history of processes that are killed, and that lose requests and replies", () => {
  it.each(settings)("of the memory store, under %j, is a history of the model", async (layers, unit) => {
    const count = { lost: 0, admitted: 0 };
    for (let seed = 1; seed <= 6; seed += 1) {
      const places = placesOf(...layers);
      const calls = await history(memoryStore(), places, seed, unit);
      count.lost += calls.filter(({ outcome }) => outcome === undefined).length;
      count.admitted += calls.filter(({ kind, outcome }) => kind === "decide" && outcome?.admitted).length;
      expect(unexplained(places, calls)).toBe(undefined);
    }
    expect(count.lost).toBeGreaterThan(40);
    expect(count.admitted).toBeGreaterThan(60);
  });
});

type AdjustHoldings = Transitions["adjustHoldings"];

/** @param change applies a change of the used units. */
function changing(
  change: (
    apply: (amount: number) => readonly number[] | undefined,
    amount: number,
  ) => readonly number[] | undefined,
): AdjustHoldings {
  return (holdings, adjustment, units, now, leaseMs, changeUsed) =>
    core.adjustHoldings(holdings, adjustment, units, now, leaseMs, (unit, amount, last) =>
      change((part) => changeUsed(unit, part, last), amount),
    );
}

const faults: [name: string, transitions: Partial<Transitions>][] = [
  [
    "a charge lost",
    { adjustHoldings: changing((apply, amount) => (amount > 0 ? undefined : apply(amount))) },
  ],
  [
    "a charge applied twice",
    {
      adjustHoldings: changing((apply, amount) => {
        if (amount > 0) apply(amount);
        return apply(amount);
      }),
    },
  ],
  [
    "a refund lost",
    { adjustHoldings: changing((apply, amount) => (amount < 0 ? undefined : apply(amount))) },
  ],
  [
    "a refund given twice",
    {
      adjustHoldings: changing((apply, amount) => {
        if (amount < 0) apply(amount);
        return apply(amount);
      }),
    },
  ],
  ["a lapse that never comes", { lapse() {} }],
  ["a lapse that comes early", { lapse: (holdings, now) => core.lapse(holdings, now + 15_000) }],
  ...mutants.flatMap(({ name, transitions }): [string, Partial<Transitions>][] =>
    transitions && !name.includes("override") ? [[name, transitions]] : [],
  ),
];

describe("a history of a faulty store is not a history of the model:", () => {
  it.each(faults)("%s", async (_, transitions) => {
    let found: string | undefined;
    for (let seed = 1; seed <= 20 && found === undefined; seed += 1) {
      const [layers, unit] = settings[seed % 2 ? 0 : 1] as (typeof settings)[number];
      const places = placesOf(...layers);
      found = unexplained(places, await history(faulty(transitions), places, seed, unit));
    }
    expect(found).toMatch(/^No order/);
  });
});

describe("a server that is killed", () => {
  const places = placesOf("4/minute", "8/minute");
  const claim: Claim = {
    space: "layer0",
    key: "caller",
    id: "id",
    fingerprint: "f",
    result: "",
    leaseMs: 30_000,
  };

  /** Two requests are admitted, the second with a claim; then the server is killed, and has these states afterwards. */
  function killed(loss: Loss, states: readonly ("both" | "first" | "none")[]): RecordedCall[] {
    const charges = places.map((place) => ({ ...place, ...amountsOf(place.limits, undefined) }));
    const models = { none: new ModelStore(), first: new ModelStore(), both: new ModelStore() };
    const calls: RecordedCall[] = [];
    for (const [n, each] of [[models.first, models.both], [models.both]].entries()) {
      const hold = { rid: String(n).padStart(24, "0"), seq: 1 };
      const asked = { charges, peek: false, hold, claim: n === 1 ? claim : undefined };
      const [outcome] = each.map((model) =>
        model.decide(charges, start, false, hold, undefined, asked.claim),
      );
      calls.push({
        kind: "decide",
        ...asked,
        now: start,
        sentAt: 10 * n,
        endedAt: 10 * n + 1,
        outcome: outcome as Outcome,
      });
    }
    calls.push({ kind: "crash", ...loss, now: start, sentAt: 30, endedAt: 31 });
    for (const [p, state] of states.entries()) {
      const seen = [charges[p] as Charge];
      const outcome = models[state].decide(seen, start, true, undefined);
      const peek = { charges: seen, peek: true, hold: undefined, claim: undefined, outcome };
      calls.push({ kind: "decide", ...peek, now: start, sentAt: 40 + p, endedAt: 40 + p });
    }
    return calls;
  }

  it.each<[string, Loss, ("both" | "first" | "none")[]]>([
    ["nothing", { keeps: 5 }, ["both", "both"]],
    ["its last answer", { keeps: 5 }, ["first", "first"]],
    ["everything", { keeps: undefined }, ["none", "none"]],
    ["one of its partitions", { keeps: undefined, places: places.slice(0, 1) }, ["none", "both"]],
    ["the end of one of its partitions", { keeps: 5, places: places.slice(1) }, ["both", "first"]],
    ["no claim", { keeps: 5, keepsClaims: true }, ["both", "both"]],
  ])("may have lost %s", (_, loss, states) => {
    expect(unexplained(places, killed(loss, states))).toBe(undefined);
  });

  it.each<[string, Loss, ("both" | "first" | "none")[]]>([
    ["an answer that it had saved", { keeps: 5 }, ["none", "none"]],
    ["an answer of one partition only", { keeps: 5 }, ["both", "first"]],
    ["a partition of another server", { keeps: undefined, places: places.slice(0, 1) }, ["none", "none"]],
    ["a saved answer of its partition", { keeps: 5, places: places.slice(0, 1) }, ["none", "both"]],
    ["a claim", { keeps: 5, keepsClaims: true }, ["first", "first"]],
    ["less than everything", { keeps: undefined }, ["first", "first"]],
  ])("may not have lost %s", (_, loss, states) => {
    expect(unexplained(places, killed(loss, states))).toMatch(/^No order/);
  });
});
