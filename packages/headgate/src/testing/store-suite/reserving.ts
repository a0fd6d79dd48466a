import { second } from "../../core/limit.ts";
import { expectSame, expectThat } from "./expect.ts";
import type { Case } from "./laws.ts";
import type { Trial } from "./trial.ts";

/** Limits on tokens by every algorithm, 1,000 each. */
const tokenLimits = [
  "1000 tokens/day",
  "1000 tokens/day sliding-window",
  "1000 tokens/day fixed-window",
  "1000 tokens/day sliding-counter",
  "1000 tokens/day fixed-window from first-use",
];

/** The tests of holds, before the true cost is known. */
export const reserving: readonly Case[] = [
  ...tokenLimits.flatMap((limits): Case[] => [
    {
      name: `${limits}: held units are not free, and unused ones are free again at the end`,
      async run(trial) {
        const place = trial.place(limits);
        const held = await trial.hold(place, { tokens: 600 });
        expectSame((await trial.read(place))[0]?.remaining, 400, "remaining while 600 are held");
        expectSame((await trial.hold(place, { tokens: 401 })).admitted, false, "401 admitted in addition");
        await trial.end(held, { tokens: 250 });
        expectSame((await trial.read(place))[0]?.remaining, 750, "remaining once 250 were used");
      },
    },
    {
      name: `${limits}: use that is reported in steps is charged once`,
      async run(trial) {
        const place = trial.place(limits);
        const held = await trial.hold(place, { tokens: 500 });
        for (const tokens of [100, 200, 200, 400]) {
          await trial.report(held, { tokens });
          expectSame((await trial.read(place))[0]?.remaining, 500, `remaining with ${tokens} reported`);
        }
        await trial.end(held, { tokens: 400 });
        expectSame((await trial.read(place))[0]?.remaining, 600, "remaining at the end");
      },
    },
    {
      name: `${limits}: an end is applied once, and later calls change nothing`,
      async run(trial) {
        const place = trial.place(limits);
        const held = await trial.hold(place, { tokens: 500 });
        await trial.end(held, { tokens: 300 });
        const late = await trial.extend(held, { tokens: 500 });
        expectSame([late.admitted, late.refusedFor], [false, "ended"], "an extension that comes late");
        await trial.report(held, { tokens: 900 });
        await trial.end(held, { tokens: 0 });
        expectSame((await trial.read(place))[0]?.remaining, 700, "remaining");
      },
    },
    {
      name: `${limits}: an end that arrives before its admission leaves no hold and no charge`,
      async run(trial) {
        const place = trial.place(limits);
        const { reservation } = await trial.hold(trial.place(limits, "other"), { tokens: 1 });
        const early = { ...reservation, places: [place], used: [[0]], held: [[0]], refunds: [[]] };
        const given = {
          admitted: true,
          at: 0,
          waitMs: 0,
          readings: [],
          refusedFor: undefined,
          overrides: undefined,
        };
        await trial.end({ ...given, reservation: early });
        const late = await trial.extend({ ...given, reservation: early }, { tokens: 500 });
        expectSame([late.admitted, late.refusedFor], [false, "ended"], "the admission that comes late");
        expectSame((await trial.read(place))[0]?.remaining, 1000, "remaining");
      },
    },
    {
      name: `${limits}: use beyond the hold is a debt`,
      async run(trial) {
        const place = trial.place(limits);
        const held = await trial.hold(place, { tokens: 900 });
        await trial.end(held, { tokens: 1500 });
        expectSame((await trial.read(place))[0]?.remaining, 0, "remaining");
        const { early, due } = await trial.waitFor(place, { tokens: 1 });
        expectSame([early.admitted, due.admitted], [false, true], "admitted before and after the wait");
      },
    },
    {
      name: `${limits}: a hold without a heartbeat lapses, but its end is still charged once`,
      async run(trial) {
        const place = trial.place(limits);
        const held = await trial.hold(place, { tokens: 900 });
        await trial.report(held, { tokens: 100 });
        trial.clock.advance(30 * second - 1);
        expectSame((await trial.read(place))[0]?.remaining, 100, "remaining just before it lapses");
        trial.clock.advance(1);
        const free = (await trial.read(place))[0]?.remaining ?? 0;
        expectThat(free >= 900, `what is held is free again, got ${free} of 900`);
        await trial.end(held, { tokens: 400 });
        await trial.end(held, { tokens: 400 });
        const left = (await trial.read(place))[0]?.remaining ?? 0;
        expectSame(free - left, 300, "charged by the late end");
      },
    },
    {
      name: `${limits}: a wait for holders is marked, and ends when they lapse`,
      async run(trial) {
        const place = trial.place(limits);
        await trial.hold(place, { tokens: 600 });
        trial.clock.advance(10 * second);
        await trial.hold(place, { tokens: 300 });
        const { readings, waitMs } = await trial.hold(place, { tokens: 700 });
        expectSame(
          [readings[0]?.[0]?.holders, waitMs],
          [true, 20 * second],
          "what it waits for, and how long",
        );
        trial.clock.advance(20 * second - 1);
        expectSame((await trial.hold(place, { tokens: 700 })).admitted, false, "admitted 1 ms too early");
        trial.clock.advance(1);
        expectSame(
          (await trial.hold(place, { tokens: 700 })).admitted,
          true,
          "admitted once the first has lapsed",
        );
      },
    },
  ]),

  {
    name: "a hold does not leave its window while its stream runs",
    async run(trial) {
      const place = trial.place("1000 tokens/minute sliding-window");
      const held = await trial.hold(place, { tokens: 800 });
      for (let beat = 0; beat < 12; beat += 1) {
        trial.clock.advance(10 * second);
        await trial.report(held);
      }
      expectSame(
        (await trial.hold(place, { tokens: 201 })).admitted,
        false,
        "201 admitted two minutes later",
      );
      await trial.end(held, { tokens: 800 });
      trial.clock.advance(60 * second - 1);
      expectSame((await trial.read(place))[0]?.remaining, 200, "remaining just before the window is over");
      trial.clock.advance(1);
      expectSame((await trial.read(place))[0]?.remaining, 1000, "remaining a window after the report");
    },
  },

  {
    name: "extensions are all or nothing, over every layer",
    async run(trial) {
      const places = [trial.place("1000 tokens/day", "a", "a"), trial.place("700 tokens/day", "b", "b")];
      const held = await trial.hold(places, { tokens: 500 });
      expectSame((await trial.extend(held, { tokens: 201 })).admitted, false, "201 more of 200");
      expectSame((await trial.read(places[0] as never))[0]?.remaining, 500, "remaining after the refusal");
      expectSame((await trial.extend(held, { tokens: 200 })).admitted, true, "200 more of 200");
      expectSame((await trial.read(places[0] as never))[0]?.remaining, 300, "remaining after the extension");
    },
  },

  {
    name: "a reservation that ends with nothing frees its requests, tokens and place",
    async run(trial) {
      const place = trial.place("5/minute; 1000 tokens/day; 2 concurrent");
      const before = await trial.read(place);
      const held = await trial.hold(place, { tokens: 400 });
      expectSame(
        (await trial.read(place)).map(({ remaining }) => remaining),
        [4, 600, 1],
        "remaining while it runs",
      );
      await trial.end(held, { requests: 0, tokens: 0 });
      expectSame(await trial.read(place), before, "readings afterwards");
    },
  },

  {
    name: "a charge whose answer was lost can still be refunded",
    async run(trial) {
      const place = trial.place(
        "5/minute token-bucket; 5/hour; 1000 tokens/day sliding-counter; 2 concurrent",
      );
      const before = await trial.read(place);
      const held = await trial.hold(place, { tokens: 300 });
      await trial.report(held, { tokens: 200 });
      const { reservation } = held;
      // The process knows neither the charges nor their marks, as if no answer had come.
      const lost = {
        ...reservation,
        used: reservation.used.map((amounts) => amounts.map(() => 0)),
        refunds: reservation.refunds.map(() => []),
      };
      await trial.end({ ...held, reservation: lost }, { requests: 0, tokens: 0 });
      expectSame(await trial.read(place), before, "readings after the end");
    },
  },

  {
    name: "a call that is repeated changes nothing",
    async run(trial) {
      const place = trial.place("1000 tokens/day");
      const held = await trial.hold(place, { tokens: 300 });
      const again = { ...held, reservation: { ...held.reservation, seq: 0, held: [[0]] } };
      expectSame((await trial.extend(again, { tokens: 300 })).admitted, true, "the admission, repeated");
      expectSame((await trial.read(place))[0]?.remaining, 700, "remaining");
    },
  },

  {
    name: "a repeated call is admitted again, even if it took the last units",
    async run(trial) {
      const place = trial.place("2/day; 100 tokens/day");
      const held = await trial.hold(place, { tokens: 60 });
      expectSame((await trial.extend(held, { requests: 1, tokens: 40 })).admitted, true, "an extension");
      held.reservation.seq -= 1;
      expectSame(
        (await trial.extend(held, { requests: 1, tokens: 0 })).admitted,
        true,
        "the same call, repeated",
      );
      expectSame(
        (await trial.read(place)).map(({ remaining }) => remaining),
        [0, 0],
        "remaining",
      );
    },
  },

  {
    name: "a heartbeat under a shorter lease does not shorten a longer one",
    async run(trial) {
      const place = trial.place("2 concurrent/10 minutes");
      const held = await trial.hold(place, { concurrent: 1 });
      // Send the heartbeat like a process with another policy.
      const { limits } = trial.under(place, "2 concurrent");
      const { reservation } = held;
      await trial.report({ ...held, reservation: { ...reservation, places: [{ ...place, limits }] } }, {});
      trial.clock.advance(31 * second);
      expectSame((await trial.read(place))[0]?.remaining, 1, "remaining of 2 after the shorter lease");
    },
  },

  {
    name: "a reservation with a shorter lease does not let the store forget what a longer one holds",
    async run(trial) {
      const place = trial.place("1000 tokens/day; 9 concurrent/10 minutes");
      await trial.hold(place, { tokens: 800, concurrent: 1 });
      trial.clock.advance(second);
      await trial.hold(trial.under(place, "1000 tokens/day; 9 concurrent"), { tokens: 100, concurrent: 1 });
      trial.clock.advance(155 * second);
      expectSame((await trial.read(place))[0]?.remaining, 200, "remaining of 1,000 while 800 are held");
      expectSame(
        (await trial.hold(place, { tokens: 900, concurrent: 1 })).admitted,
        false,
        "900 admitted in addition",
      );
    },
  },

  {
    name: "an end is remembered, however many other reservations come and go",
    async run(trial) {
      const place = trial.place("1000 tokens/day");
      const first = await trial.hold(place, { tokens: 5 });
      await trial.end(first, { tokens: 5 });
      for (let n = 0; n < 2; n += 1) {
        const others = await Promise.all(Array.from({ length: 80 }, () => trial.hold(place, { tokens: 1 })));
        await Promise.all(others.map((one) => trial.end(one, { tokens: 0 })));
        trial.clock.advance(second);
      }
      expectSame(
        (await trial.extend(first, { tokens: 5 })).refusedFor,
        "ended",
        "an extension that comes late",
      );
      expectSame((await trial.read(place))[0]?.remaining, 995, "remaining");
    },
  },

  {
    name: "a reset forgets what was used, and keeps holds",
    async run(trial: Trial) {
      const place = trial.place("1000 tokens/day; 5/minute");
      const held = await trial.hold(place, { tokens: 300 });
      await trial.report(held, { tokens: 100 });
      await trial.reset(place);
      expectSame(
        (await trial.read(place)).map(({ remaining }) => remaining),
        [800, 5],
        "remaining after the reset",
      );
      await trial.end(held, { tokens: 150 });
      expectSame((await trial.read(place))[0]?.remaining, 950, "remaining after the end");
    },
  },

  {
    name: "a partition holds for 4,096 reservations and no more",
    async run(trial) {
      const place = trial.place("1000000 tokens/day");
      const all = Array.from({ length: 4096 }, () => trial.hold(place, { tokens: 1 }));
      expectThat(
        (await Promise.all(all)).every(({ admitted }) => admitted),
        "4,096 are admitted",
      );
      const more = await trial.hold(place, { tokens: 1 });
      expectSame([more.admitted, more.refusedFor], [false, "crowded"], "one more");
      expectSame(
        (await trial.admit(place, { tokens: 1 })).admitted,
        true,
        "a reservation that holds nothing",
      );
      await trial.end(await (all[0] as (typeof all)[number]));
      expectSame(
        (await trial.hold(place, { tokens: 1 })).admitted,
        true,
        "another reservation after one has ended",
      );
    },
  },
];
