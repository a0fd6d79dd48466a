import { second } from "../../core/limit.ts";
import { expectSame } from "./expect.ts";
import { type Case, costIn, everyKind } from "./laws.ts";
import type { Trial } from "./trial.ts";

/** The algorithms that charge. Places are only held. */
const spendingKinds = [...everyKind.filter((limits) => !limits.endsWith("concurrent")), "5000/minute"];

/** The tests of resets, and of refunds after resets. */
export const resetting: readonly Case[] = [
  ...spendingKinds.flatMap((limits) =>
    [0, second].flatMap((before) =>
      [0, second].map((after) => ({
        name: `${limits}: a charge that a reset forgot is not refunded, ${before} ms before the reset and ${after} ms after it`,
        async run(trial: Trial) {
          const place = trial.place(limits);
          const forgotten = await trial.admit(place, costIn(limits, 5));
          trial.clock.advance(before);
          await trial.reset(place);
          trial.clock.advance(after);
          await trial.admit(place, costIn(limits, 3));
          const spent = await trial.read(place);
          await trial.refund(forgotten);
          expectSame(await trial.read(place), spent, "readings after the refund");
        },
      })),
    ),
  ),

  ...spendingKinds.map((limits) => ({
    name: `${limits}: charges after a reset are refunded, also in the same millisecond`,
    async run(trial: Trial) {
      const place = trial.place(limits);
      await trial.admit(place, costIn(limits, 4));
      await trial.reset(place);
      const none = await trial.read(place);
      const since = await trial.admit(place, costIn(limits, 3));
      await trial.refund(since, costIn(limits, 3));
      expectSame(await trial.read(place), none, "readings after the refund of what was spent at the reset");
      trial.clock.advance(second);
      const later = await trial.admit(place, costIn(limits, 3));
      await trial.refund(later);
      expectSame((await trial.read(place))[0]?.resetMs, 0, "reset after the refund of what was spent later");
    },
  })),

  ...spendingKinds.map((limits) => ({
    name: `${limits}: a second reset in one millisecond forgets the charges between them`,
    async run(trial: Trial) {
      const place = trial.place(limits);
      await trial.admit(place, costIn(limits, 2));
      await trial.reset(place);
      const between = await trial.admit(place, costIn(limits, 2));
      await trial.reset(place);
      await trial.admit(place, costIn(limits, 2));
      const spent = await trial.read(place);
      await trial.refund(between);
      expectSame(await trial.read(place), spent, "readings after the refund");
    },
  })),

  ...["", " token-bucket", " fixed-window", " sliding-counter"].map((algorithm) => ({
    name: `10 tokens/minute${algorithm}: a reservation that ends after a reset refunds only what it has used since`,
    async run(trial: Trial) {
      const place = trial.place(`10 tokens/minute${algorithm}`);
      const reservation = await trial.hold(place, { tokens: 8 });
      await trial.report(reservation, { tokens: 4 });
      await trial.reset(place);
      await trial.spend(place, { tokens: 2 });
      await trial.report(reservation, { tokens: 7 });
      expectSame((await trial.read(place))[0]?.remaining, 4, "remaining with 2 and 3 spent, and 1 held");
      await trial.end(reservation, { tokens: 0 });
      expectSame((await trial.read(place))[0]?.remaining, 8, "remaining once it has ended with nothing used");
    },
  })),

  {
    name: "a reset is remembered together with an override, until the forgotten windows are over",
    async run(trial) {
      const place = trial.place("5/minute fixed-window");
      const forgotten = await trial.admit(place, { requests: 5 });
      await trial.reset(place);
      await trial.block(place, { forMs: second });
      await trial.unblock(place);
      await trial.admit(place, { requests: 3 });
      await trial.refund(forgotten);
      expectSame((await trial.read(place))[0]?.remaining, 2, "remaining");
      trial.clock.advance(600 * second);
      const later = await trial.admit(place, { requests: 3 });
      await trial.refund(later);
      expectSame((await trial.read(place))[0]?.remaining, 5, "remaining ten minutes later");
    },
  },
];
