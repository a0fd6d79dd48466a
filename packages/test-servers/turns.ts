import fc from "fast-check";
import { expect } from "vitest";
import { amountsOf } from "../headgate/src/core/cost.ts";
import { compileLimits } from "../headgate/src/core/limit-set.ts";
import type { Adjustment, Charge, Outcome, Refund, Store } from "../headgate/src/core/store.ts";
import { memoryStore } from "../headgate/src/stores/memory/index.ts";
import type { FakeClock } from "../headgate/src/testing/fake-clock.ts";

type Plans = Readonly<Record<"user" | "ip" | "global", readonly string[]>>;

/**
 * Limits of a partition that differ from call to call, as plans do. The widest window is always the same, because
 * stores may differ in how much they remember when a window becomes wider.
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
const held: Plans = {
  user: [
    "9/minute; 20 tokens/minute token-bucket",
    "20 tokens/minute sliding-window",
    "9/minute; 2 concurrent",
  ],
  ip: ["12/2 minutes", "3 concurrent/10 seconds; 40 tokens/minute fixed-window"],
  global: ["60 tokens/minute sliding-counter; 50 tokens/10 seconds sliding-window"],
};

/** Quotas large enough for coarse logs, alone in a partition or next to others. */
const large: Plans = {
  user: ["7000/minute", "5000/minute", "9000/minute"],
  ip: [
    "3000/10 seconds; 12000/2 minutes",
    "12000/2 minutes; 4000/10 seconds",
    "1300/2 minutes sliding-window exact",
  ],
  global: ["30000/minute; 900/second"],
};

export type Ask =
  | { readonly do: "decide" | "peek"; readonly charges: readonly Charge[] }
  /** Asks to hold `more` of every unit. */
  | { readonly do: "extend"; readonly which: number; readonly more: number }
  /** Reports that `spend` more was used; 0 refunds everything. */
  | { readonly do: "adjust"; readonly which: number; readonly spend: number; readonly ended: boolean }
  | { readonly do: "reset"; readonly charge: Charge };

function chargeArbitrary(plans: Plans, amounts: readonly number[]): fc.Arbitrary<Charge> {
  const compiled = new Map(
    Object.entries(plans).map(([space, texts]) => [space, texts.map((text) => compileLimits(space, text))]),
  );
  return fc
    .record({
      space: fc.constantFrom("user", "user", "ip", "global"),
      caller: fc.integer({ min: 0, max: 2 }),
      plan: fc.nat(),
      requests: fc.constantFrom(...amounts),
      tokens: fc.constantFrom(0, 1, 2, 7),
    })
    .map(({ space, caller, plan, requests, tokens }): Charge => {
      const choice = compiled.get(space) ?? [];
      const limits = choice[plan % choice.length] ?? compileLimits(space, "1/minute");
      const key = space === "global" ? "all" : `caller${caller}`;
      return { space, key, limits, ...amountsOf(limits, { requests, tokens }) };
    });
}

/** The calls of one turn of the event loop, and how far the clock moves before it. */
export interface Turn {
  readonly advanceMs: number;
  readonly asks: readonly Ask[];
}

function turnArbitrary(
  plans: Plans,
  advancesMs: readonly number[],
  spends: readonly number[],
  amounts: readonly number[] = [1, 1, 1, 2, 0],
  isEnded: readonly boolean[] = [false],
): fc.Arbitrary<Turn> {
  const charge = chargeArbitrary(plans, amounts);
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
        ended: fc.constantFrom(...isEnded),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant("extend" as const),
        which: fc.nat(),
        more: fc.constantFrom(1, 1, 4),
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("reset" as const), charge }) },
  );
  return fc.record({
    advanceMs: fc.constantFrom(...advancesMs),
    // Runs of equal requests, which travel together.
    asks: fc
      .array(fc.record({ ask: asking, times: fc.constantFrom(1, 1, 2, 5) }), { minLength: 1, maxLength: 8 })
      .map((runs) => runs.flatMap(({ ask, times }) => Array.from({ length: times }, () => ask))),
  });
}

const upToEight = (turn: fc.Arbitrary<Turn>) => fc.array(turn, { minLength: 1, maxLength: 8 });

/** Turns of different kinds, by name. */
export const turnsByKind: readonly [kind: string, turns: fc.Arbitrary<Turn[]>][] = [
  [
    "windows and buckets",
    upToEight(turnArbitrary(mixed, [0, 1, 400, 400, 3_000, 9_999, 10_000, 61_000, 130_000], [0, 0, 5])),
  ],
  [
    "large windows",
    upToEight(
      turnArbitrary(
        large,
        [0, 1, 30, 100, 240, 400, 3_000, 10_000, 61_000, 130_000],
        [0, 0, 700],
        [1, 1, 400, 650, 0],
      ),
    ),
  ],
  [
    "what is held",
    upToEight(
      turnArbitrary(
        held,
        [0, 1, 3_000, 9_999, 10_000, 30_000, 61_000],
        [0, 1, 1, 5],
        [1, 1, 1, 2, 0],
        [false, true],
      ),
    ),
  ],
  // Nothing leaves its widest window, and nothing is refunded, because stores may differ in what they know then.
  [
    "windows, under a clock that is set back",
    upToEight(turnArbitrary(windows, [0, 1, 400, 3_000, 5_001, -300, -4_000], [5])),
  ],
];

/** What one store has admitted, as far as the test knows. */
interface Admitted {
  readonly rid: string;
  seq: number;
  readonly charges: readonly Charge[];
  /** What was used, by charge and group. */
  readonly used: number[][];
  readonly held: number[][];
  /** What can be refunded, by charge. */
  readonly refunds: Refund[][];
}

/** Refunds everything that was charged, or spends `spend` more. */
function adjustmentsOf(old: Admitted, spend: number, ended: boolean): Adjustment[] {
  old.seq += 1;
  return old.charges.map(({ space, key, limits }, c): Adjustment => {
    const known = old.used[c] ?? [];
    const before = old.held[c] ?? [];
    const used = known.map((amount, g) =>
      spend === 0 || limits.groups[g]?.unit === "concurrent" ? 0 : amount + spend,
    );
    const held = before.map((amount) => (spend === 0 || ended ? 0 : Math.max(0, amount - spend + 1)));
    const refunds = [...(old.refunds[c] ?? [])];
    old.used[c] = used;
    old.held[c] = held;
    return {
      space,
      key,
      limits,
      rid: old.rid,
      seq: old.seq,
      ended,
      raises: false,
      known,
      used,
      held,
      refunds,
    };
  });
}

/** Records what can be refunded of the charges in an answer. */
function noteCharged(old: Admitted, charged: readonly (readonly number[])[], { now, marks }: Outcome): void {
  for (const [c, amounts] of charged.entries()) {
    const charges = amounts.flatMap((amount, group) =>
      amount > 0 ? [{ group, amount, chargedAt: now, mark: marks[c]?.[group] ?? 0 }] : [],
    );
    old.refunds[c] = [...charges, ...(old.refunds[c] ?? [])];
  }
}

function extensionsOf(old: Admitted, more: number): Charge[] {
  old.seq += 1;
  return old.charges.map(({ space, key, limits }, c): Charge => {
    const amounts = limits.groups.map(({ unit }) => (unit === "requests" ? 0 : more));
    const holds = amounts.map((amount, g) => amount + (old.held[c]?.[g] ?? 0));
    const known = old.used[c] ?? [];
    return { space, key, limits, needs: amounts, spends: amounts.map(() => 0), holds, known };
  });
}

/** Sends all calls to a store at once and returns its answers. Adds what it admitted to `admitted`. */
async function ask(store: Store, asks: readonly Ask[], turn: number, now: number, admitted: Admitted[]) {
  const before = [...admitted];
  const which = (one: { readonly which: number }) => before[one.which % (before.length || 1)];
  const made: Admitted[] = [];
  const answers = asks.map(async (one, n): Promise<Outcome | undefined> => {
    if (one.do === "reset") {
      await store.reset([one.charge], now);
      return undefined;
    }
    if (one.do === "adjust") {
      const old = which(one);
      if (old === undefined) return undefined;
      const known = old.used.map((amounts) => [...amounts]);
      const adjustments = adjustmentsOf(old, one.spend, one.ended);
      const changes = adjustments.map(({ used }, c) =>
        used.map((amount, g) => amount - (known[c]?.[g] ?? 0)),
      );
      const outcome = await store.adjust(adjustments, now);
      noteCharged(old, changes, outcome);
      return outcome;
    }
    if (one.do === "extend") {
      const old = which(one);
      if (old === undefined) return undefined;
      const charges = extensionsOf(old, one.more);
      const outcome = await store.decide(charges, now, false, { rid: old.rid, seq: old.seq });
      if (outcome.admitted) for (const [c, { holds = [] }] of charges.entries()) old.held[c] = [...holds];
      return outcome;
    }
    const rid = (turn * 1000 + n + 1).toString(16).padStart(24, "0");
    const isHeld = one.charges.some(({ holds }) => holds !== undefined);
    const outcome = await store.decide(
      one.charges,
      now,
      one.do === "peek",
      isHeld ? { rid, seq: 1 } : undefined,
    );
    if (outcome.admitted && one.do === "decide") {
      const used = one.charges.map(({ spends }) => [...spends]);
      const held = one.charges.map(({ spends, holds }) => [...(holds ?? spends.map(() => 0))]);
      made[n] = { rid, seq: 1, charges: one.charges, used, held, refunds: [] };
      noteCharged(made[n], used, outcome);
    }
    return outcome;
  });
  const settled = await Promise.all(answers);
  admitted.push(...made.filter((one) => one !== undefined));
  return settled.map(
    (answer) =>
      answer && { admitted: answer.admitted, readings: answer.readings, refusedFor: answer.refusedFor },
  );
}

/**
 * Sends the same calls to a store and to memory stores, and compares: once one by one, and once all calls of a turn
 * together. The store must be empty, use this clock, and decide the calls of a turn in their order.
 */
export async function playTurns(shared: Store, clock: FakeClock, turns: readonly Turn[]): Promise<void> {
  const memory = memoryStore();
  const [ours, theirs]: [Admitted[], Admitted[]] = [[], []];
  for (const [turn, { advanceMs, asks }] of turns.entries()) {
    clock.set(clock.now() + advanceMs);
    const now = clock.now();
    expect(await ask(shared, asks, turn, now, ours)).toEqual(await ask(memory, asks, turn, now, theirs));
  }
}
