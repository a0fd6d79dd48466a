import { redisFixture } from "@headgate/test-servers/redis-fixture.ts";
import { expect, it } from "vitest";
import { amountsOf } from "../../core/cost.ts";
import { compileLimits } from "../../core/limit-set.ts";
import type { Adjustment, Charge, Outcome, Store } from "../../core/store.ts";
import { fakeClock } from "../../testing/fake-clock.ts";
import { seeded } from "../../testing/store-suite/random.ts";
import { memoryStore } from "../memory/index.ts";
import { redisStore } from "./index.ts";

const longestTestMs = 120_000;

const redis = redisFixture();

const limits = [
  "9/second; 400 tokens/minute; 90 concurrent/20 seconds",
  "500 tokens/minute sliding-window",
].map((text) => compileLimits("user", text));

type Step =
  | { readonly do: "decide"; readonly charge: Charge; readonly rid: string | undefined; readonly seq: number }
  | { readonly do: "adjust"; readonly adjustments: readonly Adjustment[] };

/** A reservation as a client knows it: in one partition, with this many tokens and one place. */
interface Known {
  readonly rid: string;
  readonly charge: Charge;
  seq: number;
  used: number;
}

function stepsOf(random: ReturnType<typeof seeded>, known: Known[], count: number): Step[] {
  const sayOf = (one: Known, ended: boolean): Adjustment => {
    const { space, key, limits: set, spends, holds = [] } = one.charge;
    one.seq += random.between(0, 2);
    one.used = Math.max(0, one.used + random.between(-3, 9));
    const used = set.groups.map(({ unit }, g) => (unit === "tokens" ? one.used : (spends[g] ?? 0)));
    const held = holds.map((units, g) =>
      set.groups[g]?.unit === "tokens" ? Math.max(0, units - one.used) : units,
    );
    const partition = { space, key, limits: set, rid: one.rid, seq: one.seq };
    return { ...partition, ended, raises: random.once(9), known: spends, used, held, refunds: [] };
  };
  const some = () => known[random.between(0, known.length)];
  return Array.from({ length: count }, (): Step => {
    const what = random.between(0, 9);
    const old = some();
    if (what >= 8 && known.length > 0) {
      // The heartbeats of many reservations at once.
      const many = Array.from({ length: random.between(1, 30) }, some).filter((one) => one !== undefined);
      return { do: "adjust", adjustments: many.map((one) => sayOf(one, random.once(12))) };
    }
    if (what >= 6 && old !== undefined) return { do: "adjust", adjustments: [sayOf(old, random.once(2))] };
    if (what === 5 && old !== undefined) {
      old.seq += random.between(0, 1);
      const more = { ...old.charge, holds: old.charge.holds?.map((units) => units + 2) ?? [] };
      return { do: "decide", charge: more, rid: old.rid, seq: old.seq };
    }
    const set = limits[random.between(0, 1)] as (typeof limits)[number];
    const cost = { requests: random.once(9) ? 1 : 0, tokens: random.between(0, 4), concurrent: 1 };
    const charge = {
      space: "user",
      key: `caller${random.between(0, 1)}`,
      limits: set,
      ...amountsOf(set, cost),
    };
    if (charge.holds === undefined || random.once(5)) {
      const { holds: _, ...plain } = charge;
      return { do: "decide", charge: plain, rid: undefined, seq: 0 };
    }
    const rid = random
      .between(0, 2 ** 48)
      .toString(16)
      .padStart(24, "0");
    known.push({ rid, charge, seq: 1, used: 0 });
    if (known.length > 200) known.splice(random.between(0, 100), 1);
    return { do: "decide", charge, rid, seq: 1 };
  });
}

function ask(store: Store, step: Step, now: number): Outcome | Promise<Outcome> {
  if (step.do === "adjust") return store.adjust(step.adjustments, now);
  const { charge, rid, seq } = step;
  return store.decide([charge], now, false, rid === undefined ? undefined : { rid, seq });
}

/** Marks differ: each store has its own. */
function shown({ admitted, readings, refusedFor }: Outcome) {
  return { admitted, readings, refusedFor };
}

it.each([1, 2, 3, 4, 5, 6])(
  "answers like the memory store while hundreds of reservations are renewed, extend, end and lapse together (%i)",
  async (seed) => {
    const clock = fakeClock();
    const prefix = `play${seed}:`;
    const [shared, memory] = [redisStore(redis.client, { clock, prefix }), memoryStore()];
    const random = seeded(seed);
    const known: Known[] = [];
    for (let turn = 0; turn < 60; turn += 1) {
      clock.advance(random.once(8) ? random.between(10_000, 120_000) : random.between(0, 900));
      const steps = stepsOf(random, known, random.between(1, 40));
      const ours = await Promise.all(steps.map((step) => ask(shared, step, clock.now())));
      for (const [n, step] of steps.entries()) {
        const theirs = (await ask(memory, step, clock.now())) as Outcome;
        expect({ turn, n, ...shown(ours[n] as Outcome) }).toEqual({ turn, n, ...shown(theirs) });
      }
    }
    for (const key of await redis.client.keys(`${prefix}*`))
      expect(await redis.client.pttl(key)).toBeGreaterThan(0);
  },
  longestTestMs,
);
