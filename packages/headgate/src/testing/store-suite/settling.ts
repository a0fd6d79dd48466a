import { minute, second } from "../../core/limit.ts";
import { expectSame, expectThat } from "./expect.ts";
import { type Case, costIn, everyKind } from "./laws.ts";
import { reserve, type Trial } from "./trial.ts";

/** The tests of refunds, true costs and leases. */
export const settling: readonly Case[] = [
  ...everyKind.map((limits) => ({
    name: `${limits}: an immediate refund leaves no trace`,
    async run(trial: Trial) {
      const place = trial.place(limits);
      await trial.admit(place, costIn(limits, 2));
      const before = await trial.read(place);
      const decision = await trial.admit(place, costIn(limits, 3));
      await trial.refund(decision);
      expectSame(await trial.read(place), before, "readings after the refund");
    },
  })),

  ...everyKind.map((limits) => ({
    name: `${limits}: refunds a part`,
    async run(trial: Trial) {
      const place = trial.place(limits);
      const decision = await trial.admit(place, costIn(limits, 5));
      const { readings } = await trial.refund(decision, costIn(limits, 2));
      expectSame(readings[0]?.[0]?.remaining, 2, "remaining, as the refund says");
      expectSame((await trial.read(place))[0]?.remaining, 2, "remaining, as read");
    },
  })),

  ...everyKind.map((limits) => ({
    name: `${limits}: a refund that comes too late gives nothing back`,
    async run(trial: Trial) {
      const place = trial.place(limits);
      const decision = await trial.admit(place, costIn(limits, 5));
      trial.clock.advance(40 * 24 * 60 * minute);
      await trial.admit(place, costIn(limits, 5));
      await trial.refund(decision);
      expectSame((await trial.read(place))[0]?.remaining, 0, "remaining after the late refund");
      expectSame((await trial.admit(place)).admitted, false, "admitted after the late refund");
    },
  })),

  ...everyKind
    .filter((limits) => !limits.endsWith("concurrent"))
    .map((limits) => ({
      name: `${limits}: the true cost is always spent, and the wait includes the debt`,
      async run(trial: Trial) {
        const place = trial.place(limits);
        await trial.admit(place, { requests: 4 });
        trial.clock.advance(second);
        const { readings } = await trial.spend(place, { requests: 3 });
        expectSame(readings[0]?.[0]?.remaining, 0, "remaining in debt");
        const { early, due } = await trial.waitFor(place);
        expectSame([early.admitted, due.admitted], [false, true], "admitted before and after the wait");
      },
    })),

  {
    name: "a bucket refunds no units that have drained, even if an earlier charge was refunded",
    async run(trial) {
      const place = trial.place("3/minute token-bucket");
      const first = await trial.admit(place);
      const second = await trial.admit(place);
      await trial.refund(first);
      trial.clock.advance(33_673);
      await trial.admit(place);
      const before = await trial.read(place);
      await trial.refund(second);
      expectSame(await trial.read(place), before, "readings after the refund");
    },
  },

  {
    name: "a bucket refunds no units that would have drained without an earlier refund",
    async run(trial) {
      const place = trial.place("3/minute token-bucket");
      const first = await trial.admit(place);
      const second = await trial.admit(place);
      await trial.refund(first);
      trial.clock.advance(15_000);
      await trial.admit(place);
      trial.clock.advance(15_000);
      const before = await trial.read(place);
      await trial.refund(second);
      expectSame(await trial.read(place), before, "readings after the refund");
    },
  },

  {
    name: "a refund of a later charge gives back units at that charge's time",
    async run(trial) {
      const place = trial.place("10/minute");
      await trial.admit(place, { requests: 4 });
      trial.clock.advance(20 * second);
      const more = await trial.spend(place, { requests: 6 });
      trial.clock.advance(10 * second);
      await trial.refund(more, { requests: 5 });
      expectSame(await trial.read(place), [{ remaining: 5, waitMs: 0, resetMs: 30 * second }], "readings");
      trial.clock.advance(30 * second);
      expectSame(await trial.read(place), [{ remaining: 9, waitMs: 0, resetMs: 20 * second }], "30 s later");
    },
  },

  {
    name: "if units were spent in several steps, the newest are refunded first",
    async run(trial) {
      const place = trial.place("10 tokens/minute sliding-window");
      const reservation = await trial.hold(place, { tokens: 10 });
      await trial.report(reservation, { tokens: 3 });
      trial.clock.advance(10 * second);
      await trial.report(reservation, { tokens: 5 });
      trial.clock.advance(10 * second);
      await trial.report(reservation, { tokens: 7 });
      await trial.end(reservation, { tokens: 4 });
      expectSame((await trial.read(place))[0]?.remaining, 6, "remaining of 10, with 4 used");
      trial.clock.advance(40 * second);
      expectSame((await trial.read(place))[0]?.remaining, 9, "remaining once the oldest 3 have left");
    },
  },

  ...["9/hour", "2009/hour"].map(
    (limits): Case => ({
      name: `${limits}: a refund that is repeated after it is forgotten gives back no later charge`,
      async run(trial) {
        const place = trial.place(limits);
        const first = await trial.admit(place, { requests: 3 });
        const { reservation } = first;
        const copy = () => {
          const [used, held] = [reservation.used, reservation.held].map((all) => all.map((one) => [...one]));
          const refunds = reservation.refunds.map((one) => [...one]);
          return { ...first, reservation: { ...reservation, used: used ?? [], held: held ?? [], refunds } };
        };
        const [again, third] = [copy(), copy()];
        await trial.admit(place, { requests: 1 });
        trial.clock.advance(minute);
        await trial.admit(place, { requests: 2 });
        for (const one of [first, again, third]) {
          await trial.refund(one);
          // Advance by more than the time for which ended reservations are remembered.
          trial.clock.advance(2 * minute);
        }
        const [reading] = await trial.read(place);
        expectSame(reading?.remaining, Number.parseInt(limits, 10) - 2, "remaining, without the later 2");
      },
    }),
  ),

  {
    name: "a refund to a bucket does not widen what it admits",
    async run(trial) {
      const place = trial.place("10/10 seconds token-bucket");
      const early = await trial.admit(place, { requests: 2 });
      trial.clock.advance(8 * second);
      await trial.admit(place, { requests: 10 });
      // The first two units have drained, so none of them are left to refund.
      await trial.refund(early);
      expectSame((await trial.read(place))[0]?.remaining, 0, "remaining");
      trial.clock.advance(second);
      expectSame((await trial.read(place))[0]?.remaining, 1, "remaining one second later");
    },
  },

  {
    name: "settles several partitions in one call",
    async run(trial) {
      const places = [trial.place("5/minute", "a", "a"), trial.place("5/hour token-bucket", "b", "b")];
      const decision = await trial.admit(places, { requests: 4 });
      const { readings } = await trial.refund(decision);
      expectSame(
        readings.map((limits) => limits.map(({ remaining }) => remaining)),
        [[5], [5]],
        "remaining",
      );
    },
  },

  {
    name: "each adjustment of a partition in one call reads its own limits",
    async run(trial) {
      const place = trial.place("5/hour");
      const adjustments = [place, trial.under(place, "9/hour"), place].map((one, n) => ({
        ...one,
        rid: `${n}`.padStart(24, "0"),
        seq: 1,
        ended: true,
        raises: false,
        known: [0],
        used: [1],
        held: [0],
        refunds: [],
      }));
      const { readings } = await trial.store.adjust(adjustments, trial.clock.now());
      expectSame(
        readings.map(([reading]) => reading?.remaining),
        [2, 6, 2],
        "remaining after 3 requests",
      );
    },
  },

  {
    name: "an adjustment of an unused partition is answered",
    async run(trial) {
      for (const limits of everyKind) {
        const place = trial.place(limits);
        const reservation = reserve([place]);
        reservation.used[0]?.fill(limits.endsWith("concurrent") ? 0 : 3);
        reservation.refunds[0]?.push({ group: 0, amount: 3, chargedAt: trial.clock.now() - second, mark: 1 });
        const at = trial.clock.now();
        const stale = {
          admitted: true,
          at,
          waitMs: 0,
          readings: [],
          refusedFor: undefined,
          overrides: undefined,
          reservation,
        };
        const { readings } = await trial.refund(stale);
        expectSame(readings, [[{ remaining: 5, waitMs: 0, resetMs: 0 }]], `${limits}: readings`);
      }
    },
  },

  {
    name: "leases expire, each at its own time",
    async run(trial) {
      const place = trial.place("2 concurrent/10 seconds");
      await trial.admit(place);
      trial.clock.advance(4 * second);
      await trial.admit(place);
      expectSame((await trial.admit(place)).waitMs, 6 * second, "wait for the first to end");
      expectSame((await trial.admit(place, { concurrent: 2 })).waitMs, 10 * second, "wait for both to end");
      trial.clock.advance(6 * second);
      expectSame((await trial.admit(place)).admitted, true, "admitted once the first has ended");
      expectSame((await trial.admit(place)).admitted, false, "admitted while two are inside");
    },
  },

  {
    name: "leases continue while they are renewed, and can be released at any time",
    async run(trial) {
      const place = trial.place("1 concurrent/10 seconds");
      const lease = await trial.admit(place);
      for (let beat = 0; beat < 5; beat += 1) {
        trial.clock.advance(9 * second);
        await trial.report(lease);
        expectSame((await trial.admit(place)).waitMs, 10 * second, "wait after a renewal");
      }
      await trial.refund(lease);
      expectSame((await trial.admit(place)).admitted, true, "admitted after the release");
    },
  },

  {
    name: "an ended lease can neither be renewed nor given back again",
    async run(trial) {
      const place = trial.place("1 concurrent/10 seconds");
      const ended = await trial.admit(place);
      trial.clock.advance(10 * second);
      const next = await trial.admit(place);
      expectSame(next.admitted, true, "admitted once the first has ended");
      await trial.report(ended);
      await trial.end(ended);
      expectSame((await trial.admit(place)).admitted, false, "admitted while the second is inside");
      trial.clock.advance(10 * second);
      await trial.report(next);
      expectSame((await trial.admit(place)).admitted, true, "admitted once the second has ended");
    },
  },

  {
    name: "weighted leases are given back in parts",
    async run(trial) {
      const place = trial.place("5 concurrent");
      const lease = await trial.admit(place, { concurrent: 4 });
      await trial.refund(lease, { concurrent: 1 });
      expectSame((await trial.admit(place, { concurrent: 3 })).admitted, false, "3 admitted of 2 free");
      expectSame((await trial.admit(place, { concurrent: 2 })).admitted, true, "2 admitted of 2 free");
      await trial.refund(lease, { concurrent: 3 });
      expectSame((await trial.read(place))[0]?.remaining, 3, "remaining");
    },
  },

  {
    name: "a hundred leases are distinguished",
    async run(trial) {
      const place = trial.place("100 concurrent");
      const leases = [];
      for (let n = 0; n < 100; n += 1) leases.push(await trial.admit(place));
      expectThat(
        leases.every(({ admitted }) => admitted),
        "a hundred are admitted",
      );
      expectSame((await trial.admit(place)).admitted, false, "one more admitted");
      for (const lease of leases.filter((_, n) => n % 2 === 0)) await trial.refund(lease);
      expectSame((await trial.read(place))[0]?.remaining, 50, "remaining");
    },
  },
];
