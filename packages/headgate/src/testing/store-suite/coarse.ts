import { hour, minute, second } from "../../core/limit.ts";
import { expectSame, expectThat } from "./expect.ts";
import type { Case } from "./laws.ts";
import { seeded } from "./random.ts";
import type { Place, Trial } from "./trial.ts";

/** The length of a minute's buckets. Buckets begin at multiples of it. */
const bucketMs = 250;
const start = Date.UTC(2026, 0, 1);

async function left(trial: Trial, place: Place): Promise<number | undefined> {
  return (await trial.read(place))[0]?.remaining;
}

/** Spends an amount at each of these moments of a minute. */
async function admitAt(trial: Trial, place: Place, moments: readonly number[], requests: number) {
  const decisions = [];
  for (const ms of moments) {
    trial.clock.set(start + ms);
    const decision = await trial.admit(place, { requests });
    expectSame(decision.admitted, true, `${requests} at ${ms} ms admitted`);
    decisions.push(decision);
  }
  return decisions;
}

/** The tests of sliding windows with a quota above 1,000, which are counted by a log of at most 241 entries. */
export const coarse: readonly Case[] = [
  {
    name: "coarse log: admits exactly the quota, in one bucket or in many",
    async run(trial) {
      for (const pause of [0, 3, 300, 11_000]) {
        const place = trial.place("2000/minute", `pause ${pause}`);
        for (let n = 0; n < 5; n += 1) {
          expectSame(
            (await trial.admit(place, { requests: 400 })).admitted,
            true,
            `${n * 400} + 400 admitted`,
          );
          trial.clock.advance(pause);
        }
        const refused = await trial.admit(place);
        expectSame(
          [refused.admitted, await left(trial, place)],
          [false, 0],
          "one more admitted, and remaining",
        );
        const { early, due } = await trial.waitFor(place);
        expectSame([early.admitted, early.waitMs], [false, 1], "admitted 1 ms before the wait, and its wait");
        expectSame(due.admitted, true, "admitted once the wait was over");
      }
    },
  },

  {
    name: "coarse log: units spent in one 240th of a window leave together with the newest of them",
    async run(trial) {
      const place = trial.place("2000/minute");
      await admitAt(trial, place, [0, 100, bucketMs - 1, bucketMs, 20 * second], 400);
      for (const [ms, remaining] of [
        [minute - 1, 0],
        [minute, 0],
        [minute + bucketMs - 2, 0],
        [minute + bucketMs - 1, 1200],
        [minute + bucketMs, 1600],
        [minute + 20 * second, 2000],
      ] as const) {
        trial.clock.set(start + ms);
        expectSame(await left(trial, place), remaining, `remaining ${ms} ms after the first`);
      }
    },
  },

  {
    name: "coarse log: the 240th of a window that has no whole one is rounded up",
    async run(trial) {
      trial.clock.set(Date.UTC(2026, 0, 1));
      const place = trial.place("2000/second");
      await trial.admit(place, { requests: 1500 });
      trial.clock.advance(4);
      const { readings } = await trial.admit(place, { requests: 1 });
      expectSame(readings[0]?.[0]?.resetMs, second, "when the bucket leaves, with its newest");
      trial.clock.advance(999);
      expectSame((await trial.read(place))[0]?.remaining, 499, "remaining while the newest counts");
      trial.clock.advance(1);
      expectSame((await trial.read(place))[0]?.remaining, 2000, "remaining once it has left");
    },
  },

  {
    name: "coarse log: waits until a heavier request fits, and reads when more is left",
    async run(trial) {
      const place = trial.place("2000/minute");
      await admitAt(trial, place, [0, 30, 250, 600, 601], 400);
      const [reading] = await trial.read(place);
      expectSame(reading, { remaining: 0, waitMs: 0, resetMs: minute - 571 }, "readings");
      expectSame((await trial.peek(place, { requests: 800 })).waitMs, minute - 571, "wait for 800");
      expectSame((await trial.peek(place, { requests: 801 })).waitMs, minute - 351, "wait for 801");
      const heavy = { requests: 1201 };
      const { early, due } = await trial.waitFor(place, heavy);
      expectSame([early.admitted, due.admitted], [false, true], "1201 admitted before and after their wait");
      const never = await trial.admit(place, { requests: 2001 });
      expectSame([never.admitted, never.waitMs], [false, Number.POSITIVE_INFINITY], "more than the quota");
    },
  },

  {
    name: "coarse log: a refund reduces its bucket, which keeps its stamp",
    async run(trial) {
      const place = trial.place("2000/minute");
      const [first, second_] = await admitAt(trial, place, [0, 200, 5000], 500);
      if (first === undefined || second_ === undefined) return;
      await trial.refund(second_);
      await trial.refund(first, { requests: 100 });
      expectSame(await left(trial, place), 1100, "remaining after the refunds");
      trial.clock.set(start + minute + 199);
      expectSame(await left(trial, place), 1100, "remaining while the bucket counts");
      trial.clock.set(start + minute + 200);
      expectSame(await left(trial, place), 1500, "remaining once it has left");
      await trial.refund(first);
      expectSame(await left(trial, place), 1500, "remaining after a refund that comes too late");
    },
  },

  {
    name: "coarse log: an immediate refund leaves no trace, nor does the refund of a whole bucket",
    async run(trial) {
      const place = trial.place("2000/minute");
      await admitAt(trial, place, [0], 500);
      const before = await trial.read(place);
      const [here] = await admitAt(trial, place, [0], 700);
      if (here !== undefined) await trial.refund(here);
      expectSame(await trial.read(place), before, "readings after a refund in the same bucket");
      const [apart] = await admitAt(trial, place, [7000], 700);
      if (apart !== undefined) await trial.refund(apart);
      expectSame(
        await trial.read(place),
        [{ remaining: 1500, waitMs: 0, resetMs: minute - 7000 }],
        "readings after a refund of a bucket",
      );
    },
  },

  {
    name: "coarse log: the true cost is always spent, and the wait includes the debt",
    async run(trial) {
      const place = trial.place("2000/minute");
      await admitAt(trial, place, [0], 1900);
      trial.clock.advance(second);
      const { readings } = await trial.spend(place, { requests: 1700 });
      expectSame(readings[0]?.[0], { remaining: 0, waitMs: 0, resetMs: minute - second }, "readings in debt");
      await trial.spend(place, { requests: 2000 });
      expectSame(
        (await trial.read(place))[0]?.resetMs,
        minute,
        "reset in a debt that the first unit to leave does not end",
      );
      const { early, due } = await trial.waitFor(place);
      expectSame([early.admitted, due.admitted], [false, true], "admitted before and after the wait");
    },
  },

  {
    name: "coarse log: every window has its own log, whatever the quota, which begins with the counts of other logs",
    async run(trial) {
      const small = trial.place("2000/minute");
      const large = trial.under(small, "3000/minute; 5000/hour; 900/second");
      await trial.admit(small, { requests: 1500 });
      const remaining = async () => (await trial.read(large)).map((reading) => reading.remaining);
      expectSame(await remaining(), [1500, 3500, 0], "remaining under other limits");
      expectSame((await trial.admit(large, { requests: 800 })).admitted, false, "800 admitted immediately");
      trial.clock.advance(second);
      expectSame((await trial.admit(large, { requests: 800 })).admitted, true, "800 admitted a second later");
      expectSame(await remaining(), [700, 2700, 100], "remaining after spending under them");
      expectSame(await left(trial, small), 0, "remaining under the smaller quota");
      trial.clock.advance(2 * minute);
      expectSame(await remaining(), [3000, 2700, 900], "remaining after two minutes");
      trial.clock.advance(hour);
      await trial.reset(small);
      await trial.admit(large, { requests: 100 });
      await trial.reset(small);
      expectSame(await remaining(), [3000, 5000, 900], "remaining after a reset");
    },
  },

  {
    name: "coarse log: a quota that crosses 1,000 keeps what was spent",
    async run(trial) {
      const small = trial.place("900/minute");
      const large = trial.under(small, "2000/minute");
      await trial.admit(small, { requests: 800 });
      expectSame(await left(trial, large), 1200, "remaining under the larger quota");
      trial.clock.advance(second);
      await trial.admit(large, { requests: 700 });
      expectSame([await left(trial, small), await left(trial, large)], [0, 500], "remaining under both");
      expectSame((await trial.admit(small)).admitted, false, "one more admitted under the smaller quota");
      trial.clock.advance(minute - second);
      // The larger quota began with the counts of the smaller quota, as if all of them had been spent now.
      expectSame(
        [await left(trial, small), await left(trial, large)],
        [200, 500],
        "remaining once the first unit has left",
      );
      trial.clock.advance(second);
      expectSame([await left(trial, small), await left(trial, large)], [900, 2000], "remaining at the end");
    },
  },

  {
    name: "coarse log: a charge under some limits of a partition is counted by the others too",
    async run(trial) {
      const remaining = async (place: Place) => (await trial.read(place)).map((reading) => reading.remaining);
      for (const [limits, left] of [
        ["90/hour token-bucket; 2000/minute; 3000/hour", [68, 1978, 2978]],
        ["2000/minute; 3000/hour", [1978, 2978]],
      ] as const) {
        const some = trial.place("5000/hour; 50/second", limits);
        const others = trial.under(some, limits);
        await trial.admit(some, { requests: 10 });
        await trial.admit(others, { requests: 5 });
        trial.clock.advance(2 * second);
        expectSame((await trial.admit(some, { requests: 7 })).admitted, true, "7 more admitted");
        expectSame(await remaining(others), left, "remaining of the others");
        expectSame(await remaining(some), [4978, 43], "remaining of those charged");
      }
    },
  },

  {
    name: "coarse log: old buckets leave while the newest is still being charged",
    async run(trial) {
      const place = trial.place("2000/minute");
      await admitAt(trial, place, [0, 600, minute + 590, minute + 610, minute + 700], 300);
      const [reading] = await trial.read(place);
      expectSame(reading, { remaining: 1100, waitMs: 0, resetMs: minute }, "readings");
      trial.clock.set(start + 2 * minute + 699);
      expectSame(await left(trial, place), 1100, "remaining before the newest leaves");
      trial.clock.set(start + 2 * minute + 700);
      expectSame(await left(trial, place), 2000, "remaining once it has left");
    },
  },

  {
    name: "coarse log: not used with exact",
    async run(trial) {
      const place = trial.place("2000/minute sliding-window exact");
      await admitAt(trial, place, [0, 100, 200, 201, 250], 400);
      for (const [ms, remaining] of [
        [0, 400],
        [99, 400],
        [100, 800],
        [200, 1200],
        [201, 1600],
        [250, 2000],
      ] as const) {
        trial.clock.set(start + minute + ms);
        expectSame(await left(trial, place), remaining, `remaining a minute and ${ms} ms after the first`);
      }
    },
  },

  {
    name: "coarse log: a clock that is set back admits no more, and charges can be refunded",
    async run(trial) {
      for (const back of [1, 100, 40 * second, 24 * hour]) {
        const place = trial.place("2000/minute", `back ${back}`);
        trial.clock.advance(48 * hour);
        await trial.admit(place, { requests: 1900 });
        trial.clock.advance(-back);
        const later = await trial.admit(place, { requests: 100 });
        expectSame(later.admitted, true, `the rest admitted after ${back} ms back`);
        expectSame((await trial.admit(place)).admitted, false, `one more admitted after ${back} ms back`);
        await trial.refund(later, { requests: 60 });
        expectSame(await left(trial, place), 60, "remaining after a refund");
        const { early, due } = await trial.waitFor(place, { requests: 61 });
        expectSame(
          [early.admitted, due.admitted],
          [false, true],
          `before and after the wait, ${back} ms back`,
        );
      }
    },
  },

  {
    name: "coarse log: of many requests in one turn, exactly the quota is admitted",
    async run(trial) {
      const place = trial.place("1001/minute");
      await admitAt(trial, place, [0, 17_000], 400);
      trial.clock.set(start + 17_100);
      const decisions = await Promise.all(Array.from({ length: 300 }, () => trial.admit(place)));
      expectSame(decisions.filter(({ admitted }) => admitted).length, 201, "admitted of 300 in one turn");
      expectSame(await left(trial, place), 0, "remaining");
      trial.clock.set(start + minute + 16_999);
      expectSame(await left(trial, place), 400, "remaining before they leave");
      trial.clock.set(start + minute + 17_100);
      expectSame(await left(trial, place), 1001, "remaining once they have left");
    },
  },

  {
    name: "coarse log: several layers in one decision, coarse and exact, all or nothing",
    async run(trial) {
      const user = trial.place("900/minute", "user", "user");
      const plan = trial.place("1500/minute; 40 tokens/minute", "plan", "plan");
      const all = trial.place("5000/hour; 2000/minute", "all", "all");
      const charged = [user, plan, all];
      expectSame(
        (await trial.admit(charged, { requests: 900, tokens: 40 })).admitted,
        true,
        "the first admitted",
      );
      trial.clock.advance(40);
      expectSame((await trial.admit([plan, all], { requests: 600, tokens: 0 })).admitted, true, "the second");
      expectSame(
        (await trial.admit([all, plan], { requests: 1, tokens: 0 })).admitted,
        false,
        "over the plan",
      );
      expectSame(
        (await trial.read(all)).map(({ remaining }) => remaining),
        [3500, 500],
        "remaining in a layer that would have admitted",
      );
    },
  },

  ...([0.8, 1.3] as const).map(
    (pace): Case => ({
      name: `coarse log: traffic at ${pace} of the quota is never above it, and at most 0.5% below the exact count`,
      async run(trial) {
        const quota = 2400;
        const place = trial.place(`${quota}/minute`);
        const random = seeded(Math.round(pace * 10));
        const ours: Spending[] = [];
        const exact: Spending[] = [];
        trial.clock.set(start);
        const asked = start;
        for (let n = 0; n < 900; n += 1) {
          // Request 20 units at a time, 120 times a minute at a pace of 1.
          trial.clock.set(asked + Math.floor((n * 500) / pace) + random.between(0, 120));
          const at = trial.clock.now();
          const { admitted, readings } = await trial.admit(place, { requests: 20 });
          if (admitted) ours.push({ at, amount: 20 });
          if (within(exact, at) + 20 <= quota) exact.push({ at, amount: 20 });
          const remaining = readings[0]?.[0]?.remaining ?? 0;
          expectThat(within(ours, at) <= quota, `at most ${quota} within a minute, got ${within(ours, at)}`);
          expectThat(
            remaining <= quota - within(ours, at) && remaining >= quota - within(ours, at, bucketMs - 1),
            `request ${n}: units leave within ${bucketMs} ms, got ${remaining} remaining`,
          );
        }
        expectThat(ours.length <= exact.length, `at most ${exact.length} admitted, got ${ours.length}`);
        expectThat(
          ours.length >= exact.length * 0.995 - 1,
          `at least 99.5% of ${exact.length} admitted, got ${ours.length}`,
        );
      },
    }),
  ),
];

interface Spending {
  readonly at: number;
  readonly amount: number;
}

/** Returns what was spent within the minute before this moment, plus `more` milliseconds. */
function within(spent: readonly Spending[], now: number, more = 0): number {
  let sum = 0;
  for (const { at, amount } of spent) if (at > now - minute - more && at <= now) sum += amount;
  return sum;
}
