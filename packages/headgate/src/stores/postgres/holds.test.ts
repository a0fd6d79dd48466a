import { charge, postgresFixture } from "@headgate/test-servers/postgres-fixture.ts";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { amountsOf } from "../../core/cost.ts";
import { compileLimits } from "../../core/limit-set.ts";
import type { Adjustment, Charge, Outcome, Store } from "../../core/store.ts";
import { fakeClock } from "../../testing/fake-clock.ts";
import { memoryStore } from "../memory/index.ts";
import type { PostgresStore } from "./index.ts";

const longestTestMs = 60_000;

const postgres = postgresFixture();
const { open } = postgres;

const ridOf = (n: number) => n.toString(16).padStart(24, "0");

/** Reports this use and these holds of a reservation. */
function adjustment({ space, key, limits }: Charge, rid: string, seq: number, used: number, held: number) {
  const of = (amount: number) => limits.groups.map(({ unit }) => (unit === "requests" ? 0 : amount));
  const totals = { known: of(0), used: of(used), held: of(held), refunds: [] };
  return { space, key, limits, rid, seq, ended: false, raises: false, ...totals } satisfies Adjustment;
}

/** Reserves a charge. */
async function reserve(store: Store, asked: Charge, n: number): Promise<Outcome> {
  return store.decide([asked], 0, false, { rid: ridOf(n), seq: 1 });
}

async function remaining(store: Store, asked: Charge): Promise<number | undefined> {
  return (await store.decide([asked], 0, true)).readings[0]?.[0]?.remaining;
}

async function holdRows(): Promise<number> {
  const { rows } = await postgres.pool.query(`SELECT count(*)::int AS n FROM "${postgres.schema}".holds`);
  return rows[0].n;
}

describe("holdings in PostgreSQL", () => {
  it("are not read for requests only, and their table is created again if it is missing", async () => {
    const store = open();
    await store.check();
    await postgres.pool.query(`DROP TABLE "${postgres.schema}".holds`);
    const migrated = open(postgres.pool, { migrate: false });
    for (const limits of ["5/hour", "5/hour token-bucket; 9/day fixed-window"]) {
      const plain = charge("a", limits);
      expect(await migrated.decide([plain], 0, true)).toMatchObject({ admitted: true });
      expect(await migrated.decide([plain], 0, false)).toMatchObject({ admitted: true });
      await migrated.reset([plain], 0);
    }
    const tokens = charge("a", "900 tokens/day", "user", { tokens: 100 });
    await expect(reserve(migrated, tokens, 1)).rejects.toMatchObject({ code: "store-invalid" });
    expect(await reserve(store, tokens, 1)).toMatchObject({ admitted: true });
    expect(await remaining(store, tokens)).toBe(800);
  });

  it("cause the same waits as in the memory store, for any number of holders", async () => {
    const clock = fakeClock();
    const store = open(postgres.pool, { clock });
    const plans = [
      "1000 tokens/minute sliding-window; 3000 tokens/hour sliding-window",
      "1000 tokens/minute token-bucket; 900 concurrent/20 seconds",
      "1000 tokens/minute fixed-window",
      "1000 tokens/minute sliding-counter",
    ].map((text) => compileLimits("user", text));
    const step = fc.record({
      advanceMs: fc.constantFrom(0, 0, 1, 7, 400, 3000),
      tokens: fc.integer({ min: 0, max: 60 }),
      places: fc.integer({ min: 0, max: 3 }),
      /** The reported use of one of the earlier reservations. */
      used: fc.constantFrom(undefined, undefined, 0, 5, 90),
    });
    let plays = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...plans),
        fc.array(step, { minLength: 20, maxLength: 70 }),
        fc.array(fc.integer({ min: 1, max: 1100 }), { minLength: 3, maxLength: 6 }),
        async (limits, steps, needs) => {
          plays += 1;
          const memory = memoryStore();
          const both = async (play: (store: Store) => Outcome | Promise<Outcome>) => {
            const [ours, theirs] = [await play(store), await play(memory)];
            expect({ readings: ours.readings, refusedFor: ours.refusedFor }).toEqual({
              readings: theirs.readings,
              refusedFor: theirs.refusedFor,
            });
            return ours;
          };
          const asked = (tokens: number, concurrent: number): Charge => {
            const amounts = amountsOf(limits, { tokens, concurrent });
            return { space: "user", key: `play ${plays}`, limits, ...amounts };
          };
          for (const [n, { advanceMs, tokens, places, used }] of steps.entries()) {
            clock.advance(advanceMs);
            const [rid, mine] = [ridOf(n + 1), asked(tokens, places)];
            await both((one) => one.decide([mine], clock.now(), false, { rid, seq: 1 }));
            if (used === undefined) continue;
            const told = adjustment(mine, ridOf(Math.ceil((n + 1) / 2)), n + 2, used, Math.max(0, 50 - used));
            await both((one) => one.adjust([told], clock.now()));
          }
          for (const need of needs) {
            const wanted = asked(need, need);
            const { admitted, readings } = await both((one) => one.decide([wanted], clock.now(), true));
            const waitMs = Math.max(...(readings[0] ?? []).map((reading) => reading.waitMs));
            if (admitted || !Number.isFinite(waitMs)) continue;
            clock.advance(waitMs - 1);
            expect((await both((one) => one.decide([wanted], clock.now(), true))).admitted).toBe(false);
            clock.advance(1);
            expect((await both((one) => one.decide([wanted], clock.now(), true))).admitted).toBe(true);
          }
        },
      ),
      { numRuns: 60 },
    );
  }, 120_000);

  it(
    "are kept by one heartbeat call for many reservations of several callers",
    async () => {
      const clock = fakeClock();
      const [store, memory] = [open(postgres.pool, { clock }), memoryStore()];
      // The first two are in one partition, under the limits of two plans.
      const charges = [
        charge("a", "9000 tokens/day; 1000/hour", "user", { tokens: 10 }),
        charge("a", "7000 tokens/day; 900/hour", "user", { tokens: 10 }),
        charge("b", "9000 tokens/day; 1000/hour", "user", { tokens: 10 }),
        charge("a", "8000 tokens/hour sliding-window", "org", { tokens: 10 }),
      ];
      for (const one of [store, memory]) {
        const asks = Array.from({ length: 200 }, (_, n) =>
          one.decide([charges[n % 4] as Charge], clock.now(), false, { rid: ridOf(n), seq: 1 }),
        );
        expect((await Promise.all(asks)).every(({ admitted }) => admitted)).toBe(true);
      }
      for (let beat = 2; beat < 6; beat += 1) {
        clock.advance(10_000);
        // The adjustments of one partition are consecutive, except in the last call, where partitions alternate.
        const order = Array.from({ length: 200 }, (_, n) =>
          beat === 5 ? n : (n % 50) * 4 + Math.floor(n / 50),
        );
        const beats = order.map((n) =>
          adjustment(charges[n % 4] as Charge, ridOf(n), beat, (n % 3) * beat, 10 - (n % 3)),
        );
        const [ours, theirs] = [await store.adjust(beats, clock.now()), memory.adjust(beats, clock.now())];
        expect(ours.readings).toEqual(theirs.readings);
      }
      expect(await holdRows()).toBe(200);
      clock.advance(30_000);
      for (const asked of charges) {
        expect(await remaining(store, asked)).toBe(
          memory.decide([asked], clock.now(), true).readings[0]?.[0]?.remaining,
        );
      }
    },
    longestTestMs,
  );

  it("can be added for units held during an outage, and include earlier use", async () => {
    const clock = fakeClock();
    const [store, memory] = [open(postgres.pool, { clock }), memoryStore()];
    const asked = charge("a", "900 tokens/day sliding-window; 3 concurrent; 5000 tokens/week", "user", {});
    const calls: Partial<Adjustment>[] = [
      { raises: true, held: [300, 2, 300] },
      { raises: false, held: [400, 3, 400] },
      // The same call number again.
      { raises: true, seq: 2, held: [500, 3, 500] },
      { rid: ridOf(2), raises: false, held: [100, 1, 100], known: [50, 0, 50], used: [80, 0, 80] },
      { rid: ridOf(3), ended: true, known: [70, 0, 70], used: [20, 0, 20] },
      { rid: ridOf(3), raises: true, held: [10, 1, 10] },
      { ended: true, seq: 1, used: [250, 0, 250] },
    ];
    const left = [];
    for (const [n, call] of calls.entries()) {
      clock.advance(1000);
      const adjustments = [{ ...adjustment(asked, ridOf(1), n + 1, 0, 0), ...call }];
      const [ours, theirs] = [await store.adjust(adjustments, 0), memory.adjust(adjustments, clock.now())];
      expect(ours.readings).toEqual(theirs.readings);
      left.push(ours.readings[0]?.map((reading) => reading.remaining));
    }
    expect(left).toEqual([
      [600, 1, 4700],
      [600, 1, 4700],
      [600, 1, 4700],
      [570, 1, 4670],
      [570, 1, 4670],
      [570, 1, 4670],
      [620, 3, 4720],
    ]);
  });

  it("cause an error if they cannot be read, and are counted again from the reservations after a reset", async () => {
    const store = open();
    const asked = charge("a", "900 tokens/day", "user", { tokens: 100 });
    for (const [n, state] of ["{}", "{100,1}", "{100,1,1,1,64,7}", "{3,1,1,1,64}"].entries()) {
      await reserve(store, asked, 2 * n);
      await reserve(store, asked, 2 * n + 1);
      await postgres.pool.query(`UPDATE "${postgres.schema}".partitions SET state = $1 WHERE state_id = 0`, [
        state,
      ]);
      await expect(store.decide([asked], 0, true)).rejects.toMatchObject({ code: "store-state-invalid" });
      await expect(store.adjust([adjustment(asked, ridOf(2 * n), 2, 0, 100)], 0)).rejects.toMatchObject({
        code: "store-state-invalid",
      });
      await store.reset([asked], 0);
      await store.adjust([{ ...adjustment(asked, ridOf(2 * n), 3, 40, 0), ended: true }], 0);
      expect(await remaining(store, asked)).toBe(760);
      await store.adjust([{ ...adjustment(asked, ridOf(2 * n + 1), 3, 0, 0), ended: true }], 0);
      await store.reset([asked], 0);
      expect(await remaining(store, asked)).toBe(900);
    }
  });

  it("cannot be written in a form that the functions do not read", async () => {
    const store = open();
    await reserve(store, charge("a", "9 tokens/day", "user", { tokens: 1 }), 1);
    for (const change of ["held = '{}'", "used = '{NULL}'", "units = '{NULL}'", "held = '{1,2}'"]) {
      await expect(postgres.pool.query(`UPDATE "${postgres.schema}".holds SET ${change}`)).rejects.toThrow(
        /check/,
      );
    }
  });

  it(
    "are in rows that are deleted once they expire, and not before",
    async () => {
      const clock = fakeClock();
      const store: PostgresStore = open(postgres.pool, { clock });
      const limits = "900000 tokens/day";
      const asked = (key: string) => charge(key, limits, "user", { tokens: 10 });
      await Promise.all(Array.from({ length: 300 }, (_, n) => reserve(store, asked(`of${n}`), n)));
      await Promise.all(Array.from({ length: 50 }, (_, n) => reserve(store, asked("kept"), 1000 + n)));
      for (let beat = 2; beat < 20; beat += 1) {
        clock.advance(10_000);
        await store.adjust(
          Array.from({ length: 50 }, (_, n) => adjustment(asked("kept"), ridOf(1000 + n), beat, 0, 10)),
          0,
        );
      }
      expect(await holdRows()).toBe(50);
      expect(await remaining(store, asked("kept"))).toBe(899_500);
      // The lease, the time for which it is remembered, and a minute of grace.
      clock.advance(30_000 + 60_000 + 59_000);
      await store.decide([asked("other")], 0, true);
      expect(await holdRows()).toBe(50);
      for (let n = 0; n < 2; n += 1) {
        clock.advance(10_000);
        await store.decide([asked("other")], 0, true);
      }
      expect(await holdRows()).toBe(0);
      expect(await remaining(store, asked("kept"))).toBe(900_000);
    },
    longestTestMs,
  );
});
