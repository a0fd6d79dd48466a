import fc from "fast-check";
import { expect } from "vitest";
import { amountsOf } from "../src/core/cost.ts";
import { compileLimits } from "../src/core/limit-set.ts";
import type { Adjustment, Charge, Outcome, Store } from "../src/core/store.ts";
import { memoryStore } from "../src/stores/memory/index.ts";
import type { FakeClock } from "../src/testing/fake-clock.ts";

type Plans = Readonly<Record<"user" | "ip" | "global", readonly string[]>>;

/**
 * Limits of a partition that differ from call to call, as plans do. The widest window is always the same: how much is
 * still known of what came before a wider one is for each store to say.
 */
const windows: Plans = {
  user: ["3/10 seconds; 7/minute", "2/5 seconds; 9/minute", "5/minute"],
  ip: ["12/2 minutes", "13/2 minutes; 4/10 seconds"],
  global: ["30/minute"],
};
const mixed: Plans = {
  user: [...windows.user, "3/10 seconds; 7/minute; 10 tokens/minute"],
  ip: windows.ip,
  global: [...windows.global, "30/minute; 40/minute token-bucket"],
};

export type Ask =
  | { readonly do: "decide" | "peek"; readonly charges: readonly Charge[] }
  | { readonly do: "adjust"; readonly which: number; readonly spend: number }
  | { readonly do: "reset"; readonly charge: Charge };

function chargeArbitrary(plans: Plans): fc.Arbitrary<Charge> {
  const compiled = new Map(
    Object.entries(plans).map(([space, texts]) => [space, texts.map((text) => compileLimits(space, text))]),
  );
  return fc
    .record({
      space: fc.constantFrom("user", "user", "ip", "global"),
      caller: fc.integer({ min: 0, max: 2 }),
      plan: fc.nat(),
      requests: fc.constantFrom(1, 1, 1, 2, 0),
    })
    .map(({ space, caller, plan, requests }): Charge => {
      const choice = compiled.get(space) ?? [];
      const limits = choice[plan % choice.length] ?? compileLimits(space, "1/minute");
      const key = space === "global" ? "all" : `caller${caller}`;
      return { space, key, limits, ...amountsOf(limits, { requests, tokens: requests }) };
    });
}

/** What is asked in one turn of the event loop, and how far the clock goes before it. */
export interface Turn {
  readonly advanceMs: number;
  readonly asks: readonly Ask[];
}

function turnArbitrary(
  plans: Plans,
  advancesMs: readonly number[],
  spends: readonly number[],
): fc.Arbitrary<Turn> {
  const charge = chargeArbitrary(plans);
  const charges = fc.uniqueArray(charge, {
    minLength: 1,
    maxLength: 3,
    selector: ({ space, key }) => `${space} ${key}`,
  });
  const asking: fc.Arbitrary<Ask> = fc.oneof(
    { weight: 12, arbitrary: fc.record({ do: fc.constant("decide" as const), charges }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("peek" as const), charges }) },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant("adjust" as const),
        which: fc.nat(),
        spend: fc.constantFrom(...spends),
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("reset" as const), charge }) },
  );
  return fc.record({
    advanceMs: fc.constantFrom(...advancesMs),
    // Runs of the same, which travel as one.
    asks: fc
      .array(fc.record({ ask: asking, times: fc.constantFrom(1, 1, 2, 5) }), { minLength: 1, maxLength: 8 })
      .map((runs) => runs.flatMap(({ ask, times }) => Array.from({ length: times }, () => ask))),
  });
}

const upToEight = (turn: fc.Arbitrary<Turn>) => fc.array(turn, { minLength: 1, maxLength: 8 });

/** Turns of different kinds, by what they are of. */
export const turnsByKind: readonly [kind: string, turns: fc.Arbitrary<Turn[]>][] = [
  [
    "windows and buckets",
    upToEight(turnArbitrary(mixed, [0, 1, 400, 400, 3_000, 9_999, 10_000, 61_000, 130_000], [0, 0, 5])),
  ],
  // Where nothing leaves its widest window, and nothing is given back: the stores may differ in what they know of that.
  [
    "windows, under a clock that is set back",
    upToEight(turnArbitrary(windows, [0, 1, 400, 3_000, 5_001, -300, -4_000], [5])),
  ],
];

interface Admitted {
  readonly charges: readonly Charge[];
  readonly outcome: Outcome;
}

let adjusted = 0;

/** Gives back all that was charged, or spends so much beyond it; each time as another reservation. */
function adjustmentsOf({ charges, outcome }: Admitted, spend: number): Adjustment[] {
  adjusted += 1;
  const rid = adjusted.toString(16).padStart(24, "0");
  return charges.map(({ space, key, limits, spends }, c) => ({
    space,
    key,
    limits,
    rid,
    seq: 1,
    ended: false,
    raises: false,
    known: spends,
    used: spends.map((amount) => (spend > 0 ? amount + spend : 0)),
    held: [],
    refunds: spends.map((amount, group) => ({
      group,
      amount,
      chargedAt: outcome.now,
      mark: outcome.marks[c]?.[group] ?? 0,
    })),
  }));
}

/** What one store answers, asked all at once; what it admitted is added to `admitted`. */
async function ask(store: Store, asks: readonly Ask[], now: number, admitted: Admitted[]) {
  const before = [...admitted];
  const answers = asks.map(async (one) => {
    if (one.do === "reset") return void (await store.reset([one.charge], now));
    if (one.do === "adjust") {
      const old = before[one.which % (before.length || 1)];
      if (old === undefined) return undefined;
      const { readings } = await store.adjust(adjustmentsOf(old, one.spend), now);
      return { admitted: true, readings };
    }
    const outcome = await store.decide(one.charges, now, one.do === "peek");
    return { admitted: outcome.admitted, readings: outcome.readings, outcome };
  });
  const settled = await Promise.all(answers);
  return settled.map((answer, n) => {
    const one = asks[n];
    if (answer?.outcome?.admitted && one?.do === "decide") {
      admitted.push({ charges: one.charges, outcome: answer.outcome });
    }
    return answer && { admitted: answer.admitted, readings: answer.readings };
  });
}

/**
 * Asks a store and a memory store the same, one by one and all of a turn together. The store must be empty, go by this clock, and
 * decide what it is asked in one turn in the order in which it was asked.
 */
export async function playTurns(shared: Store, clock: FakeClock, turns: readonly Turn[]): Promise<void> {
  const memory = memoryStore();
  const [ours, theirs]: [Admitted[], Admitted[]] = [[], []];
  for (const { advanceMs, asks } of turns) {
    clock.set(clock.now() + advanceMs);
    const now = clock.now();
    expect(await ask(shared, asks, now, ours)).toEqual(await ask(memory, asks, now, theirs));
  }
}
