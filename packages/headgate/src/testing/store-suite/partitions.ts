import { day, hour, minute, second } from "../../core/limit.ts";
import { expectSame, expectThat } from "./expect.ts";
import { type Case, costIn, everyKind } from "./laws.ts";
import type { Place, Trial } from "./trial.ts";

const tenYears = 3650 * day;

/** The tests of partitions, limits that share partitions, many simultaneous requests, and extreme numbers. */
export const partitions: readonly Case[] = [
  {
    name: "limits over one unit share what was spent",
    async run(trial) {
      const place = trial.place("2/second; 3/minute; 4/hour");
      const admits: boolean[] = [];
      for (const ms of [0, 0, 0, second, second, minute, minute - 1]) {
        trial.clock.advance(ms);
        admits.push((await trial.admit(place)).admitted);
      }
      expectSame(admits, [true, true, false, true, false, true, false], "admitted");
      expectSame(
        (await trial.read(place)).map(({ remaining }) => remaining),
        [2, 2, 0],
        "remaining",
      );
    },
  },

  {
    name: "no count is lost when the limits of a partition change with the caller",
    async run(trial) {
      const free = trial.place("1/minute");
      const paid = trial.under(free, "2/hour");
      const admit = async (place: Place) => (await trial.admit(place)).admitted;
      expectSame([await admit(free), await admit(free)], [true, false], "1/minute");
      expectSame([await admit(paid), await admit(paid)], [true, false], "2/hour, of which one was spent");
      trial.clock.advance(minute);
      // The narrower plan must not forget what the wider plan counts.
      expectSame([await admit(free), await admit(paid)], [true, false], "a minute later");
      trial.clock.advance(hour - minute);
      expectSame([await admit(paid), await admit(paid)], [true, false], "an hour later");
    },
  },

  {
    name: "an unlimited layer admits everything, alone and with others",
    async run(trial) {
      const open = trial.place("unlimited", "open", "open");
      const narrow = trial.place("1/minute", "narrow", "narrow");
      const admit = async (places: Place | Place[]) => (await trial.admit(places)).admitted;
      expectSame([await admit(open), await admit(open)], [true, true], "alone");
      expectSame(await trial.read(open), [], "readings");
      expectSame([await admit([open, narrow]), await admit([narrow, open])], [true, false], "with others");
      await trial.refund(await trial.admit(open));
      expectSame(await admit(open), true, "after a refund");
    },
  },

  {
    name: "spaces and keys of any text are distinguished",
    async run(trial) {
      const keys = [
        "a",
        "a:",
        ":a",
        "A",
        " a",
        "",
        "a\u0000",
        "\u0000unidentified",
        "{a}",
        "a}b",
        '"a"',
        "'a'; --",
        "\\",
        "%",
        "*",
        "ä",
        "a\u0308",
        "🙂",
        "NULL",
        "x".repeat(1024),
        `${"x".repeat(1023)}y`,
        "字".repeat(1024),
      ];
      const places = keys.flatMap((key) => [
        trial.place("1/minute", key, "one"),
        trial.place("1/minute", key, "one:"),
      ]);
      for (const [n, place] of places.entries()) {
        const key = JSON.stringify(place.key.slice(0, 20));
        expectSame((await trial.admit(place)).admitted, true, `${key} (partition ${n}) admitted`);
        expectSame((await trial.admit(place)).admitted, false, `${key} (partition ${n}) admitted twice`);
      }
    },
  },

  ...everyKind.map((limits) => ({
    name: `${limits}: of many requests in one turn, exactly the quota is admitted`,
    async run(trial: Trial) {
      const place = trial.place(limits.replace("5", "50"));
      const decisions = await Promise.all(Array.from({ length: 300 }, () => trial.admit(place)));
      expectSame(decisions.filter(({ admitted }) => admitted).length, 50, "admitted of 300 in one turn");
      expectSame((await trial.read(place))[0]?.remaining, 0, "remaining");
    },
  })),

  {
    name: "of many requests in one turn over several partitions, in different orders, none admits too many",
    async run(trial) {
      const places = Array.from({ length: 6 }, (_, n) =>
        trial.place(n % 2 === 0 ? "20/minute" : "25/minute token-bucket", `caller${n}`, `layer${n % 3}`),
      );
      const decisions = await Promise.all(
        Array.from({ length: 240 }, async (_, n) => {
          const mine = places.filter((_place, p) => (n + p) % 3 !== 0);
          const asked = n % 2 === 0 ? mine : mine.toReversed();
          return { asked, ...(await trial.admit(asked)) };
        }),
      );
      for (const [n, place] of places.entries()) {
        const admitted = decisions.filter((one) => one.admitted && one.asked.includes(place)).length;
        expectThat(admitted <= (n % 2 === 0 ? 20 : 25), `partition ${n} admitted ${admitted}`);
        const left = (await trial.read(place))[0]?.remaining;
        expectSame(left, (n % 2 === 0 ? 20 : 25) - admitted, `partition ${n}: remaining after ${admitted}`);
      }
      const some = decisions.filter(({ admitted }) => admitted).length;
      expectThat(some >= 20, `at least one partition is filled, got ${some} admitted`);
    },
  },

  {
    name: "requests in one turn are decided in the order of their calls",
    async run(trial) {
      const place = trial.place("10/minute");
      const costs = [4, 7, 3, 5, 2, 1, 1];
      const decisions = await Promise.all(costs.map((requests) => trial.admit(place, { requests })));
      expectSame(
        decisions.map(({ admitted }) => admitted),
        [true, false, true, false, true, true, false],
        "admitted",
      );
    },
  },

  {
    name: "of ten thousand requests in one millisecond, exactly the quota is admitted",
    async run(trial) {
      const place = trial.place("1000/second");
      let admitted = 0;
      for (let n = 0; n < 10; n += 1) {
        const decisions = await Promise.all(Array.from({ length: 1000 }, () => trial.admit(place)));
        admitted += decisions.filter((one) => one.admitted).length;
      }
      expectSame(admitted, 1000, "admitted of ten thousand");
      trial.clock.advance(second - 1);
      expectSame((await trial.admit(place)).admitted, false, "admitted 1 ms before they leave");
      trial.clock.advance(1);
      expectSame(await trial.read(place), [{ remaining: 1000, waitMs: 0, resetMs: 0 }], "readings after");
    },
  },

  ...[1, tenYears].flatMap((windowMs) =>
    (["sliding-window", "token-bucket", "fixed-window", "sliding-counter", "concurrent"] as const).map(
      (algorithm): Case => ({
        name: `${algorithm}: a window of ${windowMs === 1 ? "1 ms" : "10 years"}`,
        async run(trial) {
          const unit = algorithm === "concurrent" ? "concurrent" : "requests";
          const place = trial.place([{ quota: 2, windowMs, unit, algorithm }]);
          expectSame((await trial.admit(place, { [unit]: 2 })).admitted, true, "the whole quota");
          expectSame((await trial.admit(place)).admitted, false, "one more");
          if (windowMs === 1) {
            trial.clock.advance((await trial.peek(place)).waitMs);
            expectSame((await trial.admit(place)).admitted, true, "after the wait");
            return;
          }
          const { early, due } = await trial.waitFor(place);
          expectSame(
            [early.admitted, due.admitted],
            [false, true],
            "admitted before and after a wait of years",
          );
        },
      }),
    ),
  ),

  ...(["sliding-window", "token-bucket", "fixed-window", "sliding-counter"] as const).map(
    (algorithm): Case => ({
      name: `${algorithm}: large numbers keep all digits`,
      async run(trial) {
        const quota = 999_999_999_999_999;
        const place = trial.place([{ quota, windowMs: 9, unit: "bytes", algorithm }]);
        trial.clock.set(Date.UTC(2026, 0, 1));
        const first = await trial.admit(place, { bytes: 123_456_789_012_345 });
        expectSame(first.readings[0]?.[0]?.remaining, quota - 123_456_789_012_345, "remaining");
        await trial.refund(first, { bytes: 1 });
        expectSame(
          (await trial.read(place))[0]?.remaining,
          quota - 123_456_789_012_344,
          "after a refund of 1",
        );
        const rest = quota - 123_456_789_012_344;
        expectSame((await trial.admit(place, { bytes: rest + 1 })).admitted, false, "one more than is left");
        expectSame((await trial.admit(place, { bytes: rest })).admitted, true, "what is left");
        expectSame((await trial.read(place))[0]?.remaining, 0, "remaining at the end");
      },
    }),
  ),

  ...everyKind.map((limits) => ({
    name: `${limits}: a clock that is set back admits no more, and the reported wait is exact`,
    async run(trial: Trial) {
      for (const back of [1, 40 * second, day]) {
        const place = trial.place(limits, `back ${back}`);
        trial.clock.advance(31 * day);
        await trial.admit(place, costIn(limits, 4));
        await trial.admit(place);
        trial.clock.advance(-back);
        expectSame((await trial.admit(place)).admitted, false, `admitted after ${back} ms back`);
        const { early, due } = await trial.waitFor(place);
        expectSame(
          [early.admitted, due.admitted],
          [false, true],
          `before and after the wait, ${back} ms back`,
        );
      }
    },
  })),

  ...everyKind.map((limits) => ({
    name: `${limits}: charges made while the clock was set back can be refunded`,
    async run(trial: Trial) {
      const place = trial.place(limits);
      await trial.admit(place, costIn(limits, 2));
      trial.clock.advance(-20 * second);
      const later = await trial.admit(place, costIn(limits, 3));
      expectSame(later.admitted, true, "what was left admitted");
      await trial.refund(later);
      expectSame((await trial.read(place))[0]?.remaining, 3, "remaining after the refund");
      expectSame((await trial.admit(place, costIn(limits, 4))).admitted, false, "more than is left admitted");
    },
  })),
];
