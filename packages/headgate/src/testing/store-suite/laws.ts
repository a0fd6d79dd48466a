import { hour, minute, second } from "../../core/limit.ts";
import { expectSame, expectThat } from "./expect.ts";
import type { Place, Trial } from "./trial.ts";

/** One test of the suite, without a store. */
export interface Case {
  readonly name: string;
  readonly run: (trial: Trial) => Promise<void>;
}

/** One limit of every kind, with a quota of 5 over about a minute. */
export const everyKind = [
  "5/minute",
  "5/minute token-bucket",
  "5/minute fixed-window",
  "5/day fixed-window in Europe/London",
  "5/month fixed-window",
  "5/minute fixed-window from first-use",
  "5/minute sliding-counter",
  "5 concurrent",
] as const;

/** Returns a cost in the unit of a limit. */
export function costIn(limits: string, amount: number): Record<string, number> {
  return { [limits.endsWith("concurrent") ? "concurrent" : "requests"]: amount };
}

async function exhaust(trial: Trial, place: Place): Promise<number> {
  let admitted = 0;
  while (admitted < 1000 && (await trial.admit(place)).admitted) admitted += 1;
  return admitted;
}

export const laws: readonly Case[] = [
  ...everyKind.map((limits) => ({
    name: `${limits}: admits exactly the quota, and the reported wait is exact`,
    async run(trial: Trial) {
      const place = trial.place(limits);
      expectSame(await exhaust(trial, place), 5, "admitted of a quota of 5");
      const { waitMs } = await trial.peek(place);
      expectThat(Number.isSafeInteger(waitMs) && waitMs > 0, `the wait is whole milliseconds, got ${waitMs}`);
      const { early, due } = await trial.waitFor(place);
      expectSame(early.admitted, false, "admitted 1 ms before the wait was over");
      expectSame(early.waitMs, 1, "wait 1 ms before the wait was over");
      expectSame(due.admitted, true, "admitted once the wait was over");
    },
  })),

  ...everyKind.map((limits) => ({
    name: `${limits}: waits until a heavier request fits`,
    async run(trial: Trial) {
      const place = trial.place(limits);
      for (let n = 0; n < 5; n += 1) {
        await trial.admit(place);
        trial.clock.advance(777);
      }
      const { early, due } = await trial.waitFor(place, costIn(limits, 4));
      expectSame(early.admitted, false, "a cost of 4 admitted 1 ms before the wait was over");
      expectSame(due.admitted, true, "a cost of 4 admitted once the wait was over");
    },
  })),

  ...everyKind.map((limits) => ({
    name: `${limits}: a refusal spends nothing, even of a heavy request`,
    async run(trial: Trial) {
      const place = trial.place(limits);
      await trial.admit(place, costIn(limits, 3));
      const before = await trial.read(place);
      for (let n = 0; n < 5; n += 1) {
        expectSame((await trial.admit(place, costIn(limits, 3))).admitted, false, "3 admitted of 2 left");
      }
      expectSame(await trial.read(place), before, "readings after refusals");
      expectSame((await trial.admit(place, costIn(limits, 2))).admitted, true, "2 admitted of 2 left");
    },
  })),

  ...everyKind.map((limits) => ({
    name: `${limits}: a cost above the quota has an infinite wait`,
    async run(trial: Trial) {
      const place = trial.place(limits);
      const { admitted, waitMs, readings } = await trial.admit(place, costIn(limits, 6));
      expectSame([admitted, waitMs], [false, Number.POSITIVE_INFINITY], "admitted, and the wait");
      expectSame(readings[0]?.[0]?.remaining, 5, "remaining");
      expectSame((await trial.admit(place, costIn(limits, 5))).admitted, true, "the whole quota admitted");
    },
  })),

  ...everyKind.map((limits) => ({
    name: `${limits}: peek returns the same as admit, and spends nothing`,
    async run(trial: Trial) {
      const place = trial.place(limits);
      for (let n = 0; n < 7; n += 1) {
        const blank = await trial.peek(place);
        expectSame((await trial.peek(place)).readings, blank.readings, "a second peek");
        const { admitted } = await trial.admit(place);
        expectSame(admitted, blank.admitted, "admitted, and peeked");
        if (!admitted) continue;
        expectSame(blank.readings[0]?.[0]?.remaining, 5 - n, "remaining before spending");
      }
    },
  })),

  ...everyKind
    .filter((limits) => !limits.endsWith("concurrent"))
    .map((limits) => ({
      name: `${limits}: a reset gives the whole quota back, only to that partition`,
      async run(trial: Trial) {
        const places = [
          trial.place(limits),
          trial.place(limits, "other"),
          trial.place(limits, "caller", "l2"),
        ];
        for (const place of places) expectSame(await exhaust(trial, place), 5, "admitted of a quota of 5");
        const [first, ...others] = places as [Place, ...Place[]];
        await trial.reset(first);
        expectSame(
          await trial.read(first),
          await trial.read(trial.place(limits, "unseen")),
          "readings after a reset",
        );
        for (const place of others)
          expectSame((await trial.admit(place)).admitted, false, "another admitted after it");
        expectSame(await exhaust(trial, first), 5, "admitted after a reset");
      },
    })),

  {
    name: "a request charges every layer or none",
    async run(trial) {
      const tight = trial.place("2/minute", "tight", "tight");
      const wide = trial.place("100/minute; 50/hour token-bucket; 9 concurrent", "wide", "wide");
      for (const order of [
        [tight, wide],
        [wide, tight],
      ]) {
        await trial.reset(tight, wide);
        await trial.admit(order);
        await trial.admit(order);
        const before = await trial.read(wide);
        for (let n = 0; n < 10; n += 1)
          expectSame((await trial.admit(order)).admitted, false, "admitted over a full layer");
        expectSame(await trial.read(wide), before, "readings of the layer that would have admitted");
        expectSame((await trial.admit(wide)).admitted, true, "the other layer by itself admitted");
      }
    },
  },

  {
    name: "a refusal reports the longest wait, and the wait of each limit",
    async run(trial) {
      const user = trial.place("1/3 seconds; 2/minute", "user", "user");
      const address = trial.place("3/hour", "address", "address");
      await trial.admit([user, address]);
      trial.clock.advance(10 * second);
      await trial.admit([user, address]);
      await trial.spend(address, { requests: 1 });
      const refused = await trial.admit([user, address]);
      expectSame(refused.admitted, false, "admitted");
      expectSame(
        refused.readings.map((limits) => limits.map(({ waitMs }) => waitMs)),
        [[3 * second, 50 * second], [hour - 10 * second]],
        "waits",
      );
      const { early, due } = await trial.waitFor([user, address]);
      expectSame([early.admitted, due.admitted], [false, true], "admitted before and after the longest wait");
    },
  },

  {
    name: "each unit is counted separately, and a cost of 0 counts nothing",
    async run(trial) {
      const place = trial.place("2/minute; 10 tokens/minute");
      expectSame((await trial.admit(place, { tokens: 10 })).admitted, true, "all tokens in one request");
      expectSame((await trial.admit(place, { tokens: 1 })).admitted, false, "one more token");
      const free = await trial.admit(place, { tokens: 0 });
      expectSame(free.admitted, true, "a request without tokens");
      expectSame(
        free.readings[0]?.map(({ remaining }) => remaining),
        [0, 0],
        "remaining",
      );
      expectSame(
        (await trial.admit(place, { requests: 0, tokens: 0 })).admitted,
        true,
        "a request without any cost",
      );
    },
  },

  {
    name: "a request with an unknown cost needs one free unit and spends none",
    async run(trial) {
      const place = trial.place("3 tokens/minute");
      const open = await trial.admit(place);
      expectSame(open.admitted, true, "admitted while tokens are free");
      expectSame(open.readings[0]?.[0]?.remaining, 3, "remaining");
      await trial.spend(place, { tokens: 3 });
      expectSame((await trial.admit(place)).admitted, false, "admitted while none is free");
    },
  },

  {
    name: "a window includes its end and excludes its beginning, to the millisecond",
    async run(trial) {
      const place = trial.place("2/100 ms");
      const admits = [];
      // Charges at 0 and 60: the first leaves at 100, the second at 160.
      for (const [at, wanted] of [
        [0, true],
        [60, true],
        [60, false],
        [99, false],
        [100, true],
        [100, false],
        [159, false],
        [160, true],
        [199, false],
        [200, true],
      ] as const) {
        trial.clock.set(Date.UTC(2026, 0, 1) + at);
        admits.push([at, (await trial.admit(place)).admitted, wanted]);
      }
      expectSame(
        admits.map(([at, admitted]) => [at, admitted]),
        admits.map(([at, , wanted]) => [at, wanted]),
        "admitted at",
      );
    },
  },

  {
    name: "the readings of an admitted request exclude units that leave the window in that millisecond",
    async run(trial) {
      const place = trial.place("6/100 ms");
      for (let n = 0; n < 4; n += 1) {
        await trial.admit(place);
        trial.clock.advance(20);
      }
      // At 120, charges of 40 and 60 still count.
      trial.clock.advance(40);
      const [reading] = (await trial.admit(place)).readings.flat();
      expectSame([reading?.remaining, reading?.resetMs], [3, 20], "remaining, and when there is more");
    },
  },

  {
    name: "a fixed window begins at its edge",
    async run(trial) {
      for (const [limits, lastMs] of [
        ["2/minute fixed-window", Date.UTC(2026, 2, 1, 10, 7, 59, 999)],
        ["2/day fixed-window", Date.UTC(2026, 2, 1, 23, 59, 59, 999)],
        ["2/week fixed-window", Date.UTC(2026, 2, 8, 23, 59, 59, 999)],
        // Clocks go forward on that day: it is 23 hours long, and ends at 23:00 UTC.
        ["2/day fixed-window in Europe/London", Date.UTC(2026, 2, 29, 22, 59, 59, 999)],
        ["2/month fixed-window in America/Santiago", Date.UTC(2026, 3, 1, 2, 59, 59, 999)],
        ["2/year fixed-window", Date.UTC(2026, 11, 31, 23, 59, 59, 999)],
      ] as const) {
        const place = trial.place(limits);
        trial.clock.set(lastMs);
        const first = await trial.admit(place, { requests: 2 });
        expectSame(first.readings[0]?.[0], { remaining: 0, waitMs: 0, resetMs: 1 }, `${limits}, 1 ms before`);
        expectSame((await trial.admit(place)).admitted, false, `${limits}: admitted before the edge`);
        trial.clock.advance(1);
        expectSame((await trial.admit(place, { requests: 2 })).admitted, true, `${limits}: after the edge`);
      }
    },
  },

  {
    name: "a bucket drains evenly, without rounding errors",
    async run(trial) {
      // One unit in 8571.43 ms: the first whole millisecond is reported.
      const place = trial.place("7/minute token-bucket");
      await trial.admit(place, { requests: 7 });
      const moments = [];
      const start = trial.clock.now();
      for (let n = 0; n < 7; n += 1) {
        trial.clock.advance((await trial.peek(place)).waitMs);
        expectSame((await trial.admit(place)).admitted, true, "admitted once the wait was over");
        moments.push(trial.clock.now() - start);
      }
      expectSame(moments, [8572, 17_143, 25_715, 34_286, 42_858, 51_429, minute], "admitted at");
    },
  },

  {
    name: "a sliding counter weighs the previous step by its remaining part",
    async run(trial) {
      const place = trial.place("10/100 ms sliding-counter");
      trial.clock.set(Date.UTC(2026, 0, 1));
      await trial.admit(place, { requests: 10 });
      const left = [];
      for (const at of [0, 99, 100, 109, 110, 150, 199, 200]) {
        trial.clock.set(Date.UTC(2026, 0, 1) + at);
        left.push((await trial.read(place))[0]?.remaining);
      }
      expectSame(left, [0, 0, 0, 0, 1, 5, 9, 10], "remaining at 0, 99, 100, 109, 110, 150, 199 and 200 ms");
    },
  },
];
