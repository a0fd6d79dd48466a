import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileLimits, type LimitSet } from "../../core/limit-set.ts";
import type { Adjustment, Charge } from "../../core/store.ts";
import { memoryStore } from "./index.ts";

const start = Date.UTC(2026, 0, 1);

function ridOf(n: number): string {
  return n.toString(16).padStart(24, "0");
}

const compiled = new Map<string, LimitSet>();

function limitsOf(text: string): LimitSet {
  const limits = compiled.get(text) ?? compileLimits("layer", text);
  compiled.set(text, limits);
  return limits;
}

/** A store that is only asked for tokens, and the reservations as their owners know them. */
function tokensOf(text: string, maxPartitions = 1000) {
  const store = memoryStore({ maxPartitions });
  const held = new Map<string, number>();
  const used = new Map<string, number>();
  const partitionOf = (key: string, limits: string) => ({ space: "layer", key, limits: limitsOf(limits) });
  const each = (partition: Pick<Charge, "limits">, amount: number) =>
    partition.limits.groups.map(() => amount);
  return {
    store,
    held,
    used,
    ask(key: string, n: number, tokens: number, now: number, limits = text) {
      const partition = partitionOf(key, limits);
      const amounts = {
        needs: each(partition, tokens),
        spends: each(partition, 0),
        holds: each(partition, tokens),
      };
      const hold = { rid: ridOf(n), seq: 1 };
      const outcome = store.decide([{ ...partition, ...amounts }], now, false, hold);
      if (outcome.admitted) held.set(`${key} ${n}`, tokens);
      return outcome;
    },
    end(key: string, n: number, tokens: number, now: number, limits = text) {
      const partition = partitionOf(key, limits);
      const totals = { known: each(partition, 0), used: each(partition, tokens), held: each(partition, 0) };
      const call = { rid: ridOf(n), seq: 2, ended: true, raises: false, refunds: [] };
      const adjustment: Adjustment = { ...partition, ...call, ...totals };
      held.delete(`${key} ${n}`);
      used.set(key, (used.get(key) ?? 0) + tokens);
      return store.adjust([adjustment], now);
    },
    read(key: string, now: number, limits = text) {
      const partition = partitionOf(key, limits);
      const nothing = each(partition, 0);
      const charge = { ...partition, needs: nothing, spends: nothing };
      return store.decide([charge], now, true).readings[0]?.map(({ remaining }) => remaining) ?? [];
    },
    spentAndHeld(key: string) {
      let sum = used.get(key) ?? 0;
      for (const [id, tokens] of held) if (id.startsWith(`${key} `)) sum += tokens;
      return sum;
    },
  };
}

const sixGroups =
  "50 tokens/day; 60 tokens/day sliding-window; 70 tokens/day fixed-window; 80 tokens/day sliding-counter; " +
  "90 tokens/week fixed-window from first-use; 100 tokens/hour sliding-window";

const steps = fc.array(
  fc.record({
    n: fc.integer({ min: 1, max: 12 }),
    tokens: fc.integer({ min: 0, max: 20 }),
    key: fc.constantFrom("a", "b", "c"),
    pauseMs: fc.integer({ min: -3_600_000, max: 20 }),
    asks: fc.boolean(),
  }),
  { maxLength: 60 },
);

describe("the holds and the use of one partition", () => {
  it("are the same for every limit of the unit, with any algorithm", () => {
    fc.assert(
      fc.property(steps, (script) => {
        const { ask, end, read, held, spentAndHeld } = tokensOf(sixGroups);
        const quotas = [50, 60, 70, 80, 90, 100];
        for (const { n, tokens, asks } of script) {
          if (asks && !held.has(`a ${n}`)) ask("a", n, tokens, start);
          else if (held.has(`a ${n}`)) end("a", n, Math.min(tokens, held.get(`a ${n}`) ?? 0), start);
          expect(read("a", start)).toEqual(quotas.map((quota) => quota - spentAndHeld("a")));
        }
      }),
    );
  });

  it("never exceed the quota, even if the clock is set back and callers share accounts", () => {
    fc.assert(
      fc.property(steps, fc.constantFrom(1, 2, 1000), (script, maxPartitions) => {
        const { ask, end, held, spentAndHeld } = tokensOf("50 tokens/day sliding-window", maxPartitions);
        let now = start + 12 * 3_600_000;
        for (const { n, tokens, key, pauseMs, asks } of script) {
          now += pauseMs;
          const id = `${key} ${n}`;
          if (asks && !held.has(id)) ask(key, n, tokens, now);
          else if (held.has(id)) end(key, n, Math.min(tokens, held.get(id) ?? 0), now);
          expect(spentAndHeld(key)).toBeLessThanOrEqual(50);
        }
      }),
    );
  });

  it("are released if the plan changes between the admission and the end", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), fc.nat(50), (tokens, served) => {
        const { ask, end, read } = tokensOf("50 tokens/day");
        ask("a", 1, tokens, start);
        expect(read("a", start, "80 tokens/day")).toEqual([80 - tokens]);
        end("a", 1, served, start, "80 tokens/day");
        expect(read("a", start, "80 tokens/day")).toEqual([80 - served]);
        expect(read("a", start)).toEqual([50 - served]);
      }),
    );
  });

  it("stay as they are under a flood of other ends, whether held or ended", () => {
    const { store, ask, end, read, held } = tokensOf("1000000 tokens/day fixed-window");
    for (let n = 1; n <= 100; n += 1) ask("a", n, 10, start);
    const flood = 9000;
    for (let n = 1000; n < 1000 + flood; n += 1) end("a", n, 1, start + n - 1000);
    const now = start + flood;
    expect(held.size).toBe(100);
    expect(read("a", now)).toEqual([1_000_000 - 1000 - flood]);
    for (let n = 1000 + flood - 4000; n < 1000 + flood; n += 100)
      expect(ask("a", n, 10, now).refusedFor).toBe("ended");
    for (let n = 1; n <= 100; n += 1) end("a", n, 10, now);
    expect(read("a", now)).toEqual([1_000_000 - 1000 - flood]);
    store.close?.();
  });
});
