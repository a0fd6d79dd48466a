import { postgresFixture } from "@headgate/test-servers/postgres-fixture.ts";
import { redisFixture } from "@headgate/test-servers/redis-fixture.ts";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { amountsOf, type Cost } from "../core/cost.ts";
import { compileLimits, type LimitSet } from "../core/limit-set.ts";
import type { Adjustment, Charge, Outcome, Store } from "../core/store.ts";
import { fakeClock } from "../testing/fake-clock.ts";
import { memoryStore } from "./memory/index.ts";
import { functionsVersion } from "./postgres/sql/names.ts";
import { redisStore } from "./redis/index.ts";

const redis = redisFixture();
const postgres = postgresFixture();

const open = {
  redis: (clock: ReturnType<typeof fakeClock>): Store => redisStore(redis.client, { clock }),
  postgres: (clock: ReturnType<typeof fakeClock>): Store => postgres.open(postgres.pool, { clock }),
};

/** The plans of a caller. The last two have limits of which a short heartbeat cannot read one. */
const texts = [
  "40 concurrent",
  "50 tokens/second; 900 tokens/minute sliding-window; 40 concurrent",
  "9/second; 60/minute; 30 concurrent",
  "9/second; 400 tokens/minute; 25 concurrent/20 seconds",
  "100000 tokens/day; 3 concurrent",
  "500 tokens/minute token-bucket; 9 concurrent",
  "500 tokens/hour fixed-window; 12/minute",
];

const step = fc.record({
  do: fc.constantFrom(
    ...(["admit", "admit", "beat", "beat", "beat", "beat of both", "beats together"] as const),
    ...(["beat that raises", "late beat", "report", "extend", "end", "spend", "reset"] as const),
  ),
  who: fc.nat(7),
  tokens: fc.constantFrom(0, 0, 1, 30, 90),
  moveMs: fc.oneof(
    { weight: 4, arbitrary: fc.constant(0) },
    { weight: 4, arbitrary: fc.nat(12_000) },
    { weight: 1, arbitrary: fc.constantFrom(29_999, 30_000, 60_000, 90_001) },
  ),
});

/** A reservation, in one or two partitions. */
interface Reservation {
  readonly rid: string;
  readonly charges: readonly Charge[];
  used: number;
  seq: number;
  ended: boolean;
}

function readingsOf({ admitted, refusedFor, readings, marks }: Outcome) {
  return { admitted, refusedFor, readings, marks: marks.map((of) => of.map((mark) => mark || 0)) };
}

let plays = 0;

describe.each(["redis", "postgres"] as const)("heartbeats in %s", (kind) => {
  it("answer and change what they do in the memory store, whatever they cross with", async () => {
    const clock = fakeClock();
    const store = open[kind](clock);
    await store.check?.();
    await fc.assert(
      fc.asyncProperty(
        fc.tuple(fc.nat(texts.length - 1), fc.nat(texts.length - 1)),
        fc.array(step, { minLength: 15, maxLength: 50 }),
        async (plans, steps) => {
          plays += 1;
          const memory = memoryStore();
          const limits = plans.map((plan) => compileLimits("user", texts[plan] as string));
          const all: Reservation[] = [];

          async function both(
            play: (one: Store) => (Outcome | Promise<Outcome>)[],
          ): Promise<readonly Outcome[]> {
            const theirs = await Promise.all(play(memory));
            const ours = await Promise.all(play(store));
            expect(ours.map(readingsOf)).toEqual(theirs.map(readingsOf));
            return ours;
          }

          function chargeOf(n: number, cost: Cost): Charge {
            const own = limits[n] as LimitSet;
            return { space: "user", key: `play ${plays} of ${n}`, limits: own, ...amountsOf(own, cost) };
          }

          function adjusted(mine: Reservation, more: Partial<Adjustment> = {}): Adjustment[] {
            mine.seq += 1;
            return mine.charges.map(({ space, key, limits: own, spends, holds }) => {
              const of = (amount: number) =>
                own.groups.map(({ unit }, g) => (unit === "tokens" ? amount : (spends[g] ?? 0)));
              const used = of(mine.used);
              const held = own.groups.map(({ unit }, g) =>
                unit === "tokens" ? Math.max(0, (holds?.[g] ?? 0) - mine.used) : (holds?.[g] ?? 0),
              );
              const { rid, seq, ended } = mine;
              const totals = { known: used, used, held: ended ? held.map(() => 0) : held, refunds: [] };
              return { space, key, limits: own, rid, seq, ended, raises: false, ...totals, ...more };
            });
          }

          const adjust = (adjustments: readonly Adjustment[]) =>
            both((one) => [one.adjust(adjustments, clock.now())]);

          for (const { do: what, who, tokens, moveMs } of steps) {
            clock.advance(moveMs);
            const mine = all[who % Math.max(1, all.length)];
            if (what === "admit") {
              const cost = { tokens, concurrent: 1 };
              const charges =
                who % 3 === 0 ? [chargeOf(0, cost), chargeOf(1, cost)] : [chargeOf(who % 2, cost)];
              const rid = (plays * 1_000 + all.length).toString(16).padStart(24, "0");
              const [one] = await both((each) => [each.decide(charges, clock.now(), false, { rid, seq: 1 })]);
              if (one?.admitted) all.push({ rid, charges, used: 0, seq: 1, ended: false });
            } else if (what === "spend") {
              const cost = { requests: 1, tokens, concurrent: 0 };
              await both((each) => [each.decide([chargeOf(who % 2, cost)], clock.now(), false)]);
            } else if (what === "reset") {
              const partition = chargeOf(who % 2, {});
              await Promise.all([
                store.reset([partition], clock.now()),
                memory.reset([partition], clock.now()),
              ]);
            } else if (mine === undefined) {
              continue;
            } else if (what === "beat") {
              await adjust(adjusted(mine).slice(0, 1));
            } else if (what === "beat of both") {
              await adjust(adjusted(mine));
            } else if (what === "beats together") {
              const other = all[(who + 1) % all.length] as Reservation;
              const [first, second] = [adjusted(mine), adjusted(other)];
              await both((one) => [one.adjust(first, clock.now()), one.adjust(second, clock.now())]);
            } else if (what === "beat that raises") {
              await adjust(adjusted(mine, { raises: true }));
            } else if (what === "late beat") {
              const adjustments = adjusted(mine, { seq: 1 });
              await adjust(adjustments);
            } else if (what === "extend") {
              mine.seq += 1;
              const charges = mine.charges.map((charge) => ({
                ...charge,
                spends: charge.spends.map(() => 0),
              }));
              const { rid, seq } = mine;
              await both((one) => [one.decide(charges, clock.now(), false, { rid, seq })]);
            } else {
              mine.used += what === "report" ? tokens : 0;
              mine.ended ||= what === "end";
              await adjust(adjusted(mine));
            }
            for (const n of [0, 1]) {
              const asked = chargeOf(n, { requests: 1, tokens: 1, concurrent: 1 });
              await both((one) => [one.decide([asked], clock.now(), true)]);
            }
          }
        },
      ),
      { numRuns: 60 },
    );
  }, 300_000);

  it("move the expiry of the stored holds before these are over", async () => {
    const clock = fakeClock();
    const store = open[kind](clock);
    const limits = compileLimits("user", "2 concurrent");
    const charge = { space: "user", key: `long ${kind}`, limits, ...amountsOf(limits, {}) };
    const [rid, known] = ["ab".repeat(12), charge.spends];
    await store.decide([charge], 0, false, { rid, seq: 1 });
    for (let seq = 2; seq < 40; seq += 1) {
      clock.advance(20_000);
      const held = [1];
      const adjustment = { ...charge, rid, seq, ended: false, raises: false, known, used: known, held };
      const { readings } = await store.adjust([{ ...adjustment, refunds: [] }], 0);
      expect(readings).toEqual([[{ remaining: 1, waitMs: 0, resetMs: 30_000 }]]);
    }
    if (kind === "redis") {
      const keys = await redis.client.keys("*long redis*");
      expect(keys).toHaveLength(2);
      return;
    }
    const name = `"${postgres.schema}"`;
    const { rows } = await postgres.pool.query(
      `SELECT min(p.expires_at - h.expires_at)::int AS over FROM ${name}.partitions p, ${name}.holds h`,
    );
    expect(rows[0].over).toBeGreaterThanOrEqual(60_000);
  });
});

it("takes the short way in Redis for a heartbeat, and the general way for a report", async () => {
  const clock = fakeClock();
  const limits = compileLimits("user", "9/minute; 100 tokens/day; 2 concurrent");
  const charge = { space: "user", key: "ways", limits, ...amountsOf(limits, { tokens: 10, concurrent: 1 }) };
  const store = redisStore(redis.client, { clock });
  const [rid, known] = ["cd".repeat(12), charge.spends];
  await store.decide([charge], 0, false, { rid, seq: 1 });
  const beat = { ...charge, rid, ended: false, raises: false, known, held: charge.holds ?? [], refunds: [] };
  // The general way reads values with MGET.
  async function readsOf(work: () => unknown): Promise<number> {
    await redis.client.config("RESETSTAT");
    await work();
    return Number(/cmdstat_mget:calls=(\d+)/.exec(await redis.client.info("commandstats"))?.[1] ?? 0);
  }
  expect(await readsOf(() => store.adjust([{ ...beat, seq: 2, used: known }], 0))).toBe(0);
  const used = limits.groups.map(({ unit }, g) => (unit === "tokens" ? 4 : (known[g] ?? 0)));
  expect(await readsOf(() => store.adjust([{ ...beat, seq: 3, used }], 0))).toBe(1);
});

it("takes the short way in PostgreSQL for a heartbeat, and the general way for a report", async () => {
  const clock = fakeClock();
  const limits = compileLimits("user", "9/minute; 100 tokens/day; 2 concurrent");
  const charge = { space: "user", key: "ways", limits, ...amountsOf(limits, { tokens: 10, concurrent: 1 }) };
  const store = postgres.open(postgres.pool, { clock });
  const [rid, known] = ["cd".repeat(12), charge.spends];
  await store.decide([charge], 0, false, { rid, seq: 1 });
  // Without the general function, only the short way is left.
  await postgres.pool.query(
    `ALTER FUNCTION "${postgres.schema}".apply_${functionsVersion} RENAME TO elsewhere`,
  );
  const migrated = postgres.open(postgres.pool, { clock, migrate: false });
  const beat = { ...charge, rid, ended: false, raises: false, known, held: charge.holds ?? [], refunds: [] };
  expect(await migrated.adjust([{ ...beat, seq: 2, used: known }], 0)).toMatchObject({ admitted: true });
  const used = limits.groups.map(({ unit }, g) => (unit === "tokens" ? 4 : (known[g] ?? 0)));
  await expect(migrated.adjust([{ ...beat, seq: 3, used }], 0)).rejects.toThrow();
});
