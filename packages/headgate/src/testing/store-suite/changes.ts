import { day, hour, minute, second } from "../../core/limit.ts";
import { compileLimits } from "../../core/limit-set.ts";
import { expectSame, expectThat } from "./expect.ts";
import type { Case } from "./laws.ts";
import type { Place, Trial } from "./trial.ts";

/** One limit for each algorithm, with a quota of 5, that counts for about an hour. */
const everyAlgorithm = [
  "5/hour",
  "5/hour token-bucket",
  "5/hour fixed-window",
  "5/hour fixed-window from first-use",
  "5/hour sliding-counter",
] as const;

async function remaining(trial: Trial, place: Place): Promise<number | undefined> {
  return (await trial.read(place))[0]?.remaining;
}

async function admitted(trial: Trial, place: Place, most: number): Promise<number> {
  let count = 0;
  while (count < most && (await trial.admit(place)).admitted) count += 1;
  return count;
}

/** The tests that a change of limits keeps what was spent. */
export const changes: readonly Case[] = [
  ...everyAlgorithm.map(
    (limits): Case => ({
      name: `${limits}: a changed quota counts what was spent`,
      async run(trial) {
        const place = trial.place(limits);
        expectSame(await admitted(trial, place, 9), 5, "admitted of 5");
        const raised = trial.under(place, limits.replace("5", "8"));
        expectSame(await remaining(trial, raised), 3, "remaining of 8");
        expectSame(await admitted(trial, raised, 9), 3, "admitted of 8");
        const lowered = trial.under(place, limits.replace("5", "2"));
        expectSame(await remaining(trial, lowered), 0, "remaining of 2");
        expectSame((await trial.admit(lowered)).admitted, false, "admitted of 2");
        const { early, due } = await trial.waitFor(lowered);
        expectSame([early.admitted, due.admitted], [false, true], "admitted before and after the wait");
      },
    }),
  ),

  {
    name: "a changed budget of tokens counts what was spent",
    async run(trial) {
      const place = trial.place("1000 tokens/day");
      await trial.admit(place, { tokens: 1000 });
      const raised = trial.under(place, "2000 tokens/day");
      expectSame(await remaining(trial, raised), 1000, "remaining of 2,000");
      const lowered = trial.under(place, "400 tokens/day");
      expectSame(await remaining(trial, lowered), 0, "remaining of 400");
      const { waitMs } = await trial.admit(lowered, { tokens: 1 });
      expectSame(waitMs, (601 / 400) * day, "wait for a token");
      trial.clock.advance(waitMs - 1);
      expectSame((await trial.admit(lowered, { tokens: 1 })).admitted, false, "admitted 1 ms too early");
      trial.clock.advance(1);
      expectSame((await trial.admit(lowered, { tokens: 1 })).admitted, true, "admitted after the wait");
    },
  },

  {
    name: "a bucket that becomes slower counts what it drained too early",
    async run(trial) {
      const place = trial.place("100/minute token-bucket");
      await trial.admit(place, { requests: 60 });
      trial.clock.advance(30 * second);
      expectSame(await remaining(trial, place), 90, "remaining of 100 a minute");
      const slower = trial.under(place, "50/minute token-bucket");
      expectSame(
        await remaining(trial, slower),
        15,
        "remaining of 50 a minute, after 25 of the 60 spent have drained",
      );
      await trial.admit(slower, { requests: 10 });
      expectSame(await remaining(trial, place), 55, "remaining of 100 a minute again");
      trial.clock.advance(6 * second);
      expectSame(await remaining(trial, place), 65, "remaining 6 s later");
    },
  },

  ...everyAlgorithm.flatMap((from) =>
    everyAlgorithm
      .filter((to) => to !== from)
      .map(
        (to): Case => ({
          name: `${from}, then ${to}: two plans do not give two budgets`,
          async run(trial) {
            trial.clock.set(Date.UTC(2026, 0, 1, 12));
            const first = trial.place(from);
            const second = trial.under(first, to);
            expectSame(await admitted(trial, first, 3), 3, "admitted under the first");
            trial.clock.advance(minute);
            expectSame(await remaining(trial, second), 2, "remaining under the second");
            expectSame(await admitted(trial, second, 9), 2, "admitted under the second");
            expectSame((await trial.admit(first)).admitted, false, "admitted under the first again");
            for (let flap = 0; flap < 4; flap += 1) {
              trial.clock.advance(second10);
              await trial.admit(flap % 2 === 0 ? first : second);
            }
            trial.clock.advance(2 * hour);
            expectSame(await admitted(trial, second, 9), 5, "admitted once all of it is over");
            expectSame(await admitted(trial, first, 9), 0, "admitted under the first then");
          },
        }),
      ),
  ),

  {
    name: "limits that cannot share a state share what was spent, and all are reset",
    async run(trial) {
      const plans = [
        "2/hour token-bucket",
        "3/hour token-bucket",
        "2/hour fixed-window",
        "2/hour sliding-counter",
      ];
      const places = plans.map((limits) => trial.place(limits));
      let count = 0;
      for (let n = 0; n < 5; n += 1)
        for (const place of places) if ((await trial.admit(place)).admitted) count += 1;
      expectSame(count, 3, "admitted under four plans in turn");
      await trial.reset(places[0] as Place);
      for (const [n, place] of places.entries()) {
        expectSame((await trial.admit(place)).admitted, n < 2, `${plans[n]}: admitted after a reset`);
      }
    },
  },

  {
    name: "each of several algorithms is exact, even if one counts longer",
    async run(trial) {
      const place = trial.place("3/second; 100/day token-bucket; 50/hour fixed-window");
      for (let n = 0; n < 8; n += 1) {
        expectSame(await admitted(trial, place, 9), 3, `admitted in second ${n}`);
        trial.clock.advance(second);
      }
    },
  },

  {
    name: "a window that grows counts what the layer has remembered",
    async run(trial) {
      const wide = trial.place("40/hour");
      const narrow = trial.under(wide, "30/second");
      for (let n = 0; n < 30; n += 1) {
        await trial.admit(narrow);
        trial.clock.advance(minute);
      }
      expectSame(await remaining(trial, wide), 10, "remaining of 40 an hour");
      expectSame(await admitted(trial, wide, 99), 10, "admitted of 40 an hour");
      trial.clock.advance(29 * minute + 59 * second);
      expectSame((await trial.admit(wide)).admitted, false, "admitted before the first is an hour ago");
      trial.clock.advance(second);
      expectSame((await trial.admit(wide)).admitted, true, "admitted when it is");
    },
  },

  ...(["requests", "tokens"] as const).map(
    (unit): Case => ({
      name: `a refusal by a window that has grown keeps the counts behind the reported wait (${unit})`,
      async run(trial) {
        const narrow = trial.place(`5 ${unit}/minute sliding-window`);
        for (let n = 0; n < 4; n += 1) await trial.spend(narrow, { [unit]: 1 });
        // This is another layer, whose memory does not reach that far back yet.
        const wide: Place = {
          ...trial.place(`4 ${unit}/hour sliding-window`, "caller", "grown"),
          space: narrow.space,
          key: narrow.key,
        };
        const refused = await trial.hold(wide, { [unit]: 1 });
        expectSame([refused.admitted, refused.waitMs], [false, hour], "refused immediately");
        trial.clock.advance(hour - 1);
        const early = await trial.hold(wide, { [unit]: 1 });
        expectSame([early.admitted, early.waitMs], [false, 1], "1 ms before the reported moment");
        trial.clock.advance(1);
        expectSame((await trial.hold(wide, { [unit]: 1 })).admitted, true, "at the reported moment");
      },
    }),
  ),

  {
    name: "after a refusal by a window that has grown, a charge under the old window keeps the counts too",
    async run(trial) {
      const narrow = trial.place("5/minute");
      await trial.admit(narrow, { requests: 4 });
      // This is another layer, whose memory does not reach that far back yet.
      const grown = trial.place("4/hour", "caller", "grown");
      const wide: Place = { ...grown, space: narrow.space, key: narrow.key };
      expectSame((await trial.admit(wide)).waitMs, hour, "wait of the grown window");
      trial.clock.advance(2 * minute);
      expectSame((await trial.admit(narrow)).admitted, true, "admitted under the old window");
      trial.clock.advance(hour - 2 * minute - 1);
      expectSame((await trial.admit(wide)).admitted, false, "1 ms before the reported moment");
      trial.clock.advance(1);
      expectSame((await trial.admit(wide)).admitted, true, "at the reported moment");
    },
  },

  {
    name: "a slightly wider window keeps its counts, whichever process charged last",
    async run(trial) {
      const wide = trial.place("3/65 seconds");
      // This is like a process that knows only the narrow window.
      const narrow = { ...wide, limits: compileLimits("suite", "9/minute") };
      await trial.admit(narrow);
      trial.clock.advance(second);
      await trial.admit(wide);
      trial.clock.advance(60.5 * second);
      await trial.admit(narrow);
      trial.clock.advance(0.5 * second);
      expectSame((await trial.admit(wide)).admitted, false, "a fourth in 65 seconds");
      expectSame(await remaining(trial, wide), 0, "remaining of 3");
    },
  },

  {
    name: "a bucket that becomes faster is not ahead by a part of a millisecond",
    async run(trial) {
      const place = trial.place("3/minute token-bucket");
      await trial.admit(place);
      trial.clock.advance(1);
      await trial.admit(place);
      const faster = trial.under(place, "4/minute token-bucket");
      // 1.99995 units are spent, and 1 of them may stay spent. The other 0.99995 drain in 14,999.25 ms.
      expectSame((await trial.admit(faster, { requests: 3 })).waitMs, 15_000, "wait for 3 of 4");
    },
  },

  {
    name: "a bucket refunds under another quota only the units that still count",
    async run(trial) {
      const place = trial.place("4/minute token-bucket");
      await trial.admit(place);
      const later = await trial.admit(place);
      const slower = trial.under(place, "3/minute token-bucket");
      await trial.admit(slower);
      trial.clock.advance(minute / 3);
      // The first of the three units has drained.
      expectSame(await remaining(trial, slower), 1, "remaining of 3");
      await trial.refund(later);
      expectSame(await remaining(trial, slower), 2, "remaining after the refund");
    },
  },

  {
    name: "narrow, wide, narrow, wide: a log that grows meanwhile keeps its counts",
    async run(trial) {
      const narrow = trial.place("90/second");
      // Admit a request before the layer has seen a wider window.
      await trial.admit(narrow);
      const wide = trial.under(narrow, "5/hour");
      expectSame((await trial.admit(wide)).admitted, true, "wide");
      await trial.admit(trial.under(narrow, "80/2 seconds"));
      for (let n = 0; n < 60; n += 1) {
        trial.clock.advance(second);
        expectSame((await trial.admit(narrow)).admitted, true, `narrow, ${n}`);
      }
      expectSame((await trial.admit(wide)).admitted, false, "wide after 63");
      trial.clock.advance(hour - 1 - 57 * second);
      await trial.admit(narrow);
      expectSame((await trial.admit(wide)).admitted, false, "wide after almost an hour");
      trial.clock.advance(60 * second);
      expectSame(await remaining(trial, wide), 4, "remaining when all but one have left");
    },
  },

  {
    name: "a log that is longer than any limit needs is merged, and its limits stay exact",
    async run(trial) {
      const narrow = trial.place("1000/minute");
      const wide = trial.under(narrow, "1000/hour");
      await trial.admit(narrow);
      for (let n = 0; n < 2100; n += 1) {
        trial.clock.advance(70);
        await trial.admit(narrow);
      }
      const start = trial.clock.now();
      expectSame(await remaining(trial, narrow), 142, "remaining of 1,000 a minute");
      const { waitMs } = await trial.peek(wide);
      // The newest 1,000 entries decide, and they have not changed.
      expectSame(waitMs, hour - 999 * 70, "wait for the oldest of the newest 1,000 to leave");
      trial.clock.set(start + waitMs - 1);
      expectSame((await trial.admit(wide)).admitted, false, "admitted 1 ms too early");
      trial.clock.advance(1);
      expectSame((await trial.admit(wide)).admitted, true, "admitted after the wait");
    },
  },

  {
    name: "a window that shrinks reads the same log",
    async run(trial) {
      const wide = trial.place("9/hour");
      await trial.admit(wide, { requests: 4 });
      trial.clock.advance(30 * second);
      await trial.admit(wide, { requests: 2 });
      const narrow = trial.under(wide, "5/minute");
      expectSame(await remaining(trial, narrow), 0, "remaining of 5 a minute, after 6");
      trial.clock.advance(30 * second);
      expectSame(await remaining(trial, narrow), 3, "remaining when 4 have left");
    },
  },

  {
    name: "a log that grows under a narrow window still counts for a wider window, also if they take turns",
    async run(trial) {
      const wide = trial.place("60/hour");
      // This is like a process that knows only the narrow window.
      const narrow = { ...wide, limits: compileLimits("suite", "4/second") };
      await trial.admit(narrow);
      await trial.admit(wide);
      trial.clock.advance(second);
      for (let n = 1; n <= 50; n += 1) {
        trial.clock.advance(300);
        const decision = await trial.admit(n % 10 === 0 ? wide : narrow);
        expectSame(decision.admitted, true, `request ${n} admitted`);
        if (n % 25 === 0) expectSame(await remaining(trial, wide), 58 - n, `remaining of 60 after ${n + 2}`);
      }
      trial.clock.advance(2 * second);
      expectSame(await admitted(trial, wide, 20), 8, "admitted of the 60, after 52");
    },
  },

  {
    name: "a counter's refund that comes after a charge in the next step gives back only what still counts",
    async run(trial) {
      trial.clock.set(Date.UTC(2026, 0, 1));
      const place = trial.place("10/minute sliding-counter");
      const early = await trial.admit(place, { requests: 8 });
      trial.clock.advance(minute);
      const late = await trial.admit(place, { requests: 1 });
      expectSame(late.admitted, true, "admitted in the next step");
      expectSame(await remaining(trial, place), 1, "remaining before the refund");
      await trial.refund(early, { requests: 5 });
      expectSame(await remaining(trial, place), 6, "remaining after it");
      trial.clock.advance(2 * minute);
      await trial.admit(place);
      await trial.refund(late);
      expectSame(await remaining(trial, place), 9, "remaining after a refund that comes too late");
    },
  },

  {
    name: "a fifth state of a unit takes the place of the one that ends first",
    async run(trial) {
      trial.clock.set(Date.UTC(2026, 0, 1));
      const first = trial.place("6/minute token-bucket");
      expectSame(await admitted(trial, first, 3), 3, "admitted");
      trial.clock.advance(20 * second);
      for (const limits of ["9/hour fixed-window", "9/day fixed-window", "9/hour sliding-counter"])
        expectSame((await trial.admit(trial.under(first, limits))).admitted, true, limits);
      expectSame(await remaining(trial, first), 2, "remaining of the first of four");
      expectSame((await trial.admit(trial.under(first, "9/month fixed-window"))).admitted, true, "the fifth");
      // The bucket begins again with the units that the others counted within a minute, as if they were spent now.
      expectSame(await remaining(trial, first), 0, "remaining of the first of five");
    },
  },

  {
    name: "at most four states of a unit are kept, always including those in force",
    async run(trial) {
      trial.clock.set(Date.UTC(2026, 0, 1));
      const first = trial.place("5/hour");
      expectSame(await admitted(trial, first, 3), 3, "admitted");
      for (const limits of [
        "5/hour token-bucket",
        "5/day token-bucket",
        "5/hour fixed-window",
        "5/day fixed-window",
        "5/month fixed-window",
        "5/hour sliding-counter",
      ]) {
        const next = trial.under(first, limits);
        expectSame(await remaining(trial, next), 2, `remaining under ${limits}`);
        const decision = await trial.admit(next, { requests: 1 });
        expectThat(decision.admitted, `${limits} admits one more`);
        await trial.reset(next);
        expectSame(await admitted(trial, first, 3), 3, "admitted after a reset");
        await trial.admit(next, { requests: 0 });
      }
      for (const limits of [
        "6/hour token-bucket",
        "7/day token-bucket",
        "8/hour fixed-window",
        "9/day fixed-window",
      ])
        expectSame(
          (await trial.admit(trial.under(first, limits))).admitted,
          true,
          `${limits} admits one more`,
        );
      expectSame((await trial.admit(first)).admitted, false, "admitted under the first, of 7 spent");
      expectSame(await remaining(trial, trial.under(first, "9/day fixed-window")), 2, "remaining of 9");
    },
  },
];

const second10 = 10 * second;
