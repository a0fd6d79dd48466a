import { day, hour, minute, second } from "../../core/limit.ts";
import { blocked } from "../../core/override.ts";
import { expectSame } from "./expect.ts";
import { type Case, costIn, everyKind } from "./laws.ts";
import type { Decision, Place, Trial } from "./trial.ts";

/** The tests of blocks and overrides: they are in force immediately and until their end, whatever else happens. */
export const overrides: readonly Case[] = [
  ...everyKind.map((limits) => ({
    name: `${limits}: a block refuses until its end, and what was spent before it still counts`,
    async run(trial: Trial) {
      // Begin in the middle of every window.
      trial.clock.set(Date.UTC(2026, 0, 15, 12, 0, 30));
      const place = trial.place(limits);
      await trial.hold(place, costIn(limits, 3));
      await trial.block(place, { forMs: 10 * second });
      const before = await trial.read(place);
      for (const ask of [trial.admit, trial.peek, trial.hold]) {
        const refused = await ask(place, costIn(limits, 1));
        expectSame(summary(refused), [false, "blocked", 10 * second], "a request while blocked");
      }
      expectSame(await trial.read(place), before, "readings after refusals");
      trial.clock.advance(10 * second - 1);
      expectSame(summary(await trial.admit(place)), [false, "blocked", 1], "1 ms before its end");
      trial.clock.advance(1);
      expectSame((await trial.admit(place, costIn(limits, 3))).admitted, false, "3 more of 5 at its end");
      expectSame((await trial.admit(place)).admitted, true, "1 more of 5 at its end");
    },
  })),

  {
    name: "a block without an end lasts until it is ended",
    async run(trial) {
      const place = trial.place("2/minute");
      await trial.admit(place);
      await trial.block(place);
      trial.clock.advance(second);
      expectSame(summary(await trial.admit(place)), [false, "blocked", Infinity], "after a second");
      await trial.unblock(place);
      expectSame((await trial.admit(place)).admitted, true, "admitted once it is ended");
      expectSame((await trial.admit(place)).admitted, false, "a third of 2");
      await trial.block(place);
      trial.clock.advance(3650 * day);
      expectSame(summary(await trial.admit(place)), [false, "blocked", Infinity], "after ten years");
      await trial.unblock(place);
      expectSame((await trial.admit(place)).admitted, true, "admitted after ten years");
    },
  },

  {
    name: "a block may end at a given time, and names who decided it and why",
    async run(trial) {
      const place = trial.place("2/minute");
      const until = trial.clock.now() + hour;
      const why = { reason: 'Spam: "never", “字🙂” {}\n', by: "ada@example.com" };
      await trial.block(place, { until, ...why });
      const { overrides: [found] = [] } = await trial.admit(place);
      expectSame({ ...found, id: 0 }, { id: 0, limits: blocked, until, ...why }, "the override in force");
      await trial.block(place, { until: until - 1 });
      const { overrides: [next] = [] } = await trial.peek(place);
      expectSame(
        { ...next, id: 0 },
        { id: 0, limits: blocked, until: until - 1 },
        "the override that replaced it",
      );
      trial.clock.advance(hour - 1);
      expectSame((await trial.admit(place)).admitted, true, "admitted at the earlier end");
    },
  },

  {
    name: "a block or an override also applies to a layer that counts nothing, alone and with another layer",
    async run(trial) {
      const open = trial.place("unlimited", "open", "open");
      const counted = trial.place("2/minute");
      await trial.block(open, { forMs: hour });
      for (const ask of [trial.admit, trial.peek]) {
        expectSame(summary(await ask(open)), [false, "blocked", hour], "alone");
        expectSame(summary(await ask([open, counted])), [false, "blocked", hour], "with another layer");
      }
      expectSame(await remaining(trial, counted), 2, "remaining of the other layer");
      await trial.unblock(open);
      expectSame((await trial.admit(open)).admitted, true, "once it is ended");
      const override = await trial.override(open, { limits: "1/minute", forMs: hour });
      expectSame((await trial.admit(open)).refusedFor, "overridden", "under its own limits");
      const under: Place = { ...trial.under(open, "1/minute"), override };
      expectSame((await trial.admit(under)).admitted, true, "under the other limits");
      expectSame((await trial.admit(under)).admitted, false, "a second of 1");
    },
  },

  {
    name: "if one partition is blocked, no other is charged or mistaken for it",
    async run(trial) {
      const user = trial.place("2/minute", "caller", "user");
      const address = trial.place("2/minute", "caller", "address");
      const other = trial.place("2/minute", "caller2", "user");
      await trial.block(user, { forMs: hour });
      for (let n = 0; n < 3; n += 1) {
        const refused = await trial.admit([address, user]);
        expectSame(summary(refused), [false, "blocked", hour], "a request of both");
        expectSame(
          refused.overrides?.map((one) => one?.limits),
          [undefined, blocked],
          "the override in force",
        );
      }
      expectSame(await remaining(trial, address), 2, "remaining of the other layer");
      expectSame((await trial.admit([address, other])).admitted, true, "another caller");
      expectSame((await trial.admit(address)).admitted, true, "the other layer alone");
      await trial.block([user, address], { forMs: 2 * hour });
      expectSame(summary(await trial.admit([user, address])), [false, "blocked", 2 * hour], "both blocked");
      await trial.unblock([user, address]);
      expectSame((await trial.admit(user)).admitted, true, "both ended");
    },
  },

  {
    name: "a block outlives the windows of the limits, a reset and a flood of requests from other callers",
    async run(trial) {
      const place = trial.place("5/second");
      await trial.admit(place);
      await trial.block(place, { forMs: 2 * day });
      await trial.reset(place);
      expectSame(await remaining(trial, place), 5, "remaining after the reset");
      for (let n = 0; n < 200; n += 1) {
        await trial.admit(trial.place("5/second", `caller${n}`));
        trial.clock.advance(n < 100 ? 10 : 10 * minute);
      }
      expectSame((await trial.admit(place)).refusedFor, "blocked", "after the flood");
      trial.clock.advance(2 * day - second - 1000 * minute - 1);
      expectSame(summary(await trial.admit(place)), [false, "blocked", 1], "1 ms before its end");
      trial.clock.advance(1);
      expectSame((await trial.admit(place)).admitted, true, "admitted at its end");
    },
  },

  {
    name: "the wait is the longer of the block's and the limits' waits",
    async run(trial) {
      const place = trial.place("1/minute");
      await trial.admit(place);
      await trial.block(place, { forMs: second });
      const refused = await trial.admit(place);
      expectSame([refused.refusedFor, refused.waitMs], ["blocked", minute], "the limit's wait");
      trial.clock.advance(minute - 1);
      expectSame((await trial.admit(place)).admitted, false, "1 ms before it");
      trial.clock.advance(1);
      expectSame((await trial.admit(place)).admitted, true, "at it");
    },
  },

  {
    name: "a reservation from before a block can be reported and ended, but not extended",
    async run(trial) {
      const place = trial.place("100 tokens/hour; 2 concurrent");
      const first = await trial.hold(place, { tokens: 40, concurrent: 1 });
      await trial.block(place, { forMs: hour });
      expectSame(summary(await trial.extend(first, { tokens: 10 })), [false, "blocked", hour], "extended");
      await trial.report(first, { tokens: 30 });
      await trial.end(first);
      await trial.unblock(place);
      expectSame(
        (await trial.read(place)).map((one) => one.remaining),
        [70, 2],
        "remaining",
      );
    },
  },

  {
    name: "a repeated call that was admitted before a block is still admitted",
    async run(trial) {
      const place = trial.place("100 tokens/hour");
      const first = await trial.hold(place, { tokens: 40 });
      await trial.block(place);
      first.reservation.seq -= 1;
      expectSame((await trial.extend(first, { tokens: 0 })).admitted, true, "the same call again");
      await trial.unblock(place);
      expectSame(await remaining(trial, place), 60, "remaining");
    },
  },

  {
    name: "an unused partition can be blocked, and several partitions in one call",
    async run(trial) {
      const places = Array.from({ length: 40 }, (_, n) =>
        trial.place("2/minute; 5 tokens/day", `caller${n}`),
      );
      await trial.block(places, { forMs: hour });
      for (const place of places) expectSame((await trial.admit(place)).refusedFor, "blocked", place.key);
      await trial.unblock(places.slice(1));
      for (const [n, place] of places.entries())
        expectSame((await trial.admit(place)).admitted, n > 0, `${place.key} admitted`);
    },
  },

  {
    name: "of many requests in one turn, a block refuses all requests of its partition, and the others are decided",
    async run(trial) {
      const blocks = trial.place("100/minute", "blocked");
      const others = trial.place("100/minute", "other");
      await trial.block(blocks, { forMs: hour });
      const decisions = await Promise.all(
        Array.from({ length: 150 }, (_, n) => trial.admit(n % 3 === 0 ? blocks : others)),
      );
      for (const [n, one] of decisions.entries()) {
        expectSame(
          summary(one),
          n % 3 === 0 ? [false, "blocked", hour] : [true, undefined, 0],
          `request ${n}`,
        );
      }
      await trial.unblock(blocks);
      expectSame([await remaining(trial, blocks), await remaining(trial, others)], [100, 0], "remaining");
    },
  },

  {
    name: "once the call that blocks has returned, nobody is admitted, even if many calls were under way",
    async run(trial) {
      const place = trial.place("1000/minute");
      const hundred = () => Promise.all(Array.from({ length: 100 }, () => trial.admit(place)));
      const asking = hundred();
      const blocking = trial.block(place, { forMs: hour });
      const [early, among, late] = await Promise.all([asking, hundred(), blocking.then(hundred)]);
      expectSame(late.filter(({ admitted }) => admitted).length, 0, "admitted afterwards");
      const admitted = [...early, ...among].filter((one) => one.admitted).length;
      expectSame(await remaining(trial, place), 1000 - admitted, `remaining after ${admitted} admitted`);
    },
  },

  ...everyKind.map((limits) => ({
    name: `${limits}: an override applies once a request is made under its limits, and what was spent counts`,
    async run(trial: Trial) {
      const place = trial.place(limits);
      await trial.hold(place, costIn(limits, 3));
      const more = limits.replace("5", "8");
      const override = await trial.override(place, { limits: more, forMs: hour, reason: "trial" });
      const before = await trial.read(place);
      const asked = await trial.admit(place);
      expectSame([asked.admitted, asked.refusedFor], [false, "overridden"], "under its own limits");
      expectSame(asked.overrides, [override], "the override in force");
      expectSame(await trial.read(place), before, "readings after it");
      const under: Place = { ...trial.under(place, more), override };
      expectSame((await trial.hold(under, costIn(limits, 5))).admitted, true, "5 more of 8");
      expectSame((await trial.admit(under)).admitted, false, "a ninth of 8");
      const another = { ...override, id: (override.id % 2 ** 40) + 1 };
      expectSame(
        (await trial.admit({ ...under, override: another })).refusedFor,
        "overridden",
        "under another",
      );
      await trial.unblock(place);
      const ended = await trial.admit(under);
      expectSame(
        [ended.refusedFor, ended.overrides],
        ["overridden", [undefined]],
        "under it, once it has ended",
      );
      expectSame(await remaining(trial, place), 0, "remaining under its own limits");
    },
  })),

  ...everyKind.map((limits) => ({
    name: `${limits}: an override with lower limits counts what was spent before it, and the usual limits count everything once it has ended`,
    async run(trial: Trial) {
      // Begin in the middle of every window.
      trial.clock.set(Date.UTC(2026, 0, 15, 12, 0, 30));
      const place = trial.place(limits);
      await trial.hold(place, costIn(limits, 2));
      const fewer = limits.replace("5", "3");
      const override = await trial.override(place, { limits: fewer, forMs: second });
      const under: Place = { ...trial.under(place, fewer), override };
      expectSame((await trial.hold(under, costIn(limits, 2))).admitted, false, "2 more of 3");
      expectSame((await trial.hold(under, costIn(limits, 1))).admitted, true, "1 more of 3");
      expectSame((await trial.hold(under, costIn(limits, 1))).admitted, false, "a fourth of 3");
      await trial.unblock(place);
      expectSame((await trial.hold(place, costIn(limits, 3))).admitted, false, "3 more of 5, once ended");
      expectSame((await trial.hold(place, costIn(limits, 2))).admitted, true, "2 more of 5, once ended");
    },
  })),

  {
    name: "an override can be replaced immediately, and a reset keeps it",
    async run(trial) {
      const place = trial.place("1/minute");
      const wide = await trial.override(place, { limits: "5/minute" });
      const first: Place = { ...trial.under(place, "5/minute"), override: wide };
      expectSame((await trial.admit(first, { requests: 3 })).admitted, true, "3 of 5");
      const narrow = await trial.override(place, { limits: "4/minute" });
      expectSame((await trial.admit(first)).refusedFor, "overridden", "under the one before");
      const next: Place = { ...trial.under(place, "4/minute"), override: narrow };
      expectSame((await trial.admit(next)).admitted, true, "a fourth of 4");
      expectSame((await trial.admit(next)).admitted, false, "a fifth of 4");
      await trial.reset(place);
      const asked = await trial.admit(place);
      expectSame([asked.refusedFor, asked.overrides], ["overridden", [narrow]], "after a reset");
      expectSame((await trial.admit(next, { requests: 4 })).admitted, true, "4 of 4 after a reset");
    },
  },

  {
    name: "an override ends at its time, and a block replaces it",
    async run(trial) {
      const place = trial.place("1/minute");
      const override = await trial.override(place, { limits: "3/minute", forMs: second });
      const under: Place = { ...trial.under(place, "3/minute"), override };
      expectSame((await trial.admit(under)).admitted, true, "under it");
      trial.clock.advance(second);
      expectSame((await trial.admit(under)).refusedFor, "overridden", "under it, at its end");
      expectSame((await trial.admit(place)).refusedFor, undefined, "under its own, at its end");
      await trial.override(place, { limits: "3/minute" });
      await trial.block(place, { forMs: second });
      expectSame(summary(await trial.admit(under)), [false, "blocked", second], "blocked");
      await trial.unblock(place);
      trial.clock.advance(minute);
      expectSame((await trial.admit(place)).admitted, true, "under its own");
    },
  },

  {
    name: "each of several layers reports the override in force in it",
    async run(trial) {
      const user = trial.place("1/minute", "caller", "user");
      const org = trial.place("1/minute", "caller", "org");
      const override = await trial.override(user, { limits: "3/minute" });
      const under: Place = { ...trial.under(user, "3/minute"), override };
      expectSame((await trial.admit([under, org])).admitted, true, "under one of them");
      const second = await trial.override(org, { limits: "3/minute" });
      const asked = await trial.admit([under, org]);
      expectSame(
        [asked.refusedFor, asked.overrides],
        ["overridden", [override, second]],
        "under the other too",
      );
      const both = [under, { ...trial.under(org, "3/minute"), override: second }];
      expectSame((await trial.admit(both)).admitted, true, "under both");
      await trial.block(org, { forMs: minute });
      expectSame(
        (await trial.admit(both)).overrides?.[0],
        override,
        "the override in force together with a block",
      );
      expectSame(await remaining(trial, under), 1, "remaining");
    },
  },

  {
    name: "a reservation is extended under the limits that admitted it",
    async run(trial) {
      const place = trial.place("100 tokens/hour");
      const first = await trial.hold(place, { tokens: 40 });
      await trial.override(place, { limits: "200 tokens/hour" });
      expectSame((await trial.extend(first, { tokens: 60 })).admitted, true, "up to its own limit");
      expectSame((await trial.extend(first, { tokens: 1 })).refusedFor, undefined, "beyond it");
    },
  },

  {
    name: "a shared text is read when it has changed, and one of two simultaneous writes wins",
    async run({ store, place }) {
      const { readShared, writeShared } = store;
      // A store may lack this: overrides by prefix then throw.
      if (readShared === undefined || writeShared === undefined) return;
      const read = (version: number) => readShared.call(store, limiter, version);
      const write = (from: number, version: number, text: string) =>
        writeShared.call(store, limiter, from, { version, text });
      const limiter = place("5/minute").space;
      expectSame(await read(0), undefined, "an unwritten text, for version 0");
      expectSame(await read(-1), { version: 0, text: "" }, "an unwritten text, for another version");
      expectSame(await write(3, 4, "late"), false, "a write over an unknown version");
      const text = "one \"two\" 'three' \\ %_*[]{}\n 42 \u00e9\u{1f600}";
      const both = await Promise.all([write(0, 1, text), write(0, 1, text)]);
      expectSame(both.toSorted(), [false, true], "two simultaneous writes");
      expectSame(await read(0), { version: 1, text }, "the written text");
      expectSame(await read(1), undefined, "the written text, for its own version");
      expectSame(await write(0, 2, "other"), false, "a write over an old version");
      expectSame(await write(1, 7, "[]"), true, "a write over the current version");
      expectSame(await read(1), { version: 7, text: "[]" }, "the last written text");
    },
  },
];

function summary({ admitted, refusedFor, waitMs, overrides: all, at }: Decision) {
  const ends = (all ?? []).map((one) => (one?.limits === blocked ? one.until - at : 0));
  return [admitted, refusedFor, Math.max(waitMs, ...ends)];
}

async function remaining(trial: Trial, place: Place): Promise<number | undefined> {
  return (await trial.read(place))[0]?.remaining;
}
