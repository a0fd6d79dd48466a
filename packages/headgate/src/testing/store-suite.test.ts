import { describe, expect, it } from "vitest";
import type { Outcome, Store } from "../core/store.ts";
import { memoryStore } from "../stores/memory/index.ts";
import { fakeClock } from "./fake-clock.ts";
import { storeSuite } from "./store-suite/index.ts";

describe("storeSuite, on the memory store", () => {
  const suite = storeSuite({
    create: () => {
      const store = memoryStore();
      return { store, clock: fakeClock(), close: () => store.close?.() };
    },
  });

  it.each(suite.map(({ name, run }) => [name, run] as const))("%s", (_name, run) => run());

  it("has unique test names", () => {
    const names = suite.map(({ name }) => name);
    expect(names.filter((name, n) => names.indexOf(name) !== n)).toEqual([]);
  });
});

/** Runs the suite on a memory store with a fault. Returns the names of the failed tests. */
async function failuresWith(fault: (store: Store) => Partial<Store>): Promise<string[]> {
  const suite = storeSuite({
    create: () => {
      const store = memoryStore();
      return { store: { ...store, ...fault(store) }, clock: fakeClock(), close: () => {} };
    },
    scripts: 5,
  });
  const failures: string[] = [];
  for (const { name, run } of suite) await run().catch(() => failures.push(name));
  return failures;
}

const blind = (outcome: Outcome): Outcome => ({ ...outcome, admitted: true });
const shifted = (outcome: Outcome, ms: number): Outcome => ({
  ...outcome,
  readings: outcome.readings.map((limits) =>
    limits.map((one) => ({ ...one, waitMs: one.waitMs > 0 ? one.waitMs + ms : 0 })),
  ),
});

describe("storeSuite, on a store with a fault", () => {
  it.each<[fault: string, make: (store: Store) => Partial<Store>, caught: RegExp]>([
    [
      "that admits everything",
      (store) => ({
        decide: (charges, now, peek, hold) => blind(store.decide(charges, now, peek, hold) as Outcome),
      }),
      /admits exactly the quota/,
    ],
    [
      "whose wait is 1 ms short",
      (store) => ({
        decide: (charges, now, peek, hold) => shifted(store.decide(charges, now, peek, hold) as Outcome, -1),
      }),
      /the reported wait is exact/,
    ],
    [
      "whose wait is 1 ms long",
      (store) => ({
        decide: (charges, now, peek, hold) => shifted(store.decide(charges, now, peek, hold) as Outcome, 1),
      }),
      /the reported wait is exact/,
    ],
    [
      "that spends when it peeks",
      (store) => ({ decide: (charges, now) => store.decide(charges, now, false) }),
      /peek returns the same as admit/,
    ],
    [
      "that charges layer by layer",
      (store) => ({
        decide(charges, now, peek, hold) {
          const outcomes = charges.map((charge) => store.decide([charge], now, peek, hold) as Outcome);
          return {
            admitted: outcomes.every(({ admitted }) => admitted),
            now,
            readings: outcomes.flatMap(({ readings }) => readings),
            marks: outcomes.flatMap(({ marks }) => marks),
          };
        },
      }),
      /charges every layer or none/,
    ],
    [
      "that gives nothing back",
      (store) => ({
        adjust: (adjustments, now) =>
          store.adjust(
            adjustments.map((one) => ({ ...one, refunds: [] })),
            now,
          ),
      }),
      /an immediate refund leaves no trace/,
    ],
    [
      "whose reset ends blocks",
      (store) => ({
        reset(partitions, now) {
          store.reset(partitions, now);
          store.override?.(partitions, undefined, now);
        },
      }),
      /a block outlives the windows of the limits, a reset/,
    ],
    [
      "that charges the other layers if one is blocked",
      (store) => ({
        decide(charges, now, peek, hold) {
          const outcome = store.decide(charges, now, peek, hold) as Outcome;
          if (outcome.refusedFor === "blocked" && !peek)
            store.decide(
              charges.filter((_, c) => outcome.overrides?.[c] === undefined),
              now,
              false,
              hold,
            );
          return outcome;
        },
      }),
      /if one partition is blocked, no other is charged/,
    ],
    [
      "whose blocks end 1 ms late",
      (store) => ({
        override: (partitions, terms, now) =>
          store.override?.(
            partitions,
            terms?.forMs === undefined ? terms : { ...terms, forMs: terms.forMs + 1 },
            now,
          ),
      }),
      /a block refuses until its end/,
    ],
    [
      "that blocks nobody",
      () => ({ override: undefined as never }),
      /a block without an end lasts until it is ended/,
    ],
    ["that resets nothing", () => ({ reset: () => {} }), /a reset gives the whole quota back/],
    [
      "that distinguishes keys only by their first letter",
      (store) => ({
        decide: (charges, now, peek, hold) =>
          store.decide(
            charges.map((charge) => ({ ...charge, key: charge.key.slice(0, 1) })),
            now,
            peek,
            hold,
          ),
      }),
      /spaces and keys of any text/,
    ],
  ])("%s, fails", async (_fault, make, caught) => {
    const failures = await failuresWith(make);
    expect(failures.some((name) => caught.test(name))).toBe(true);
  });
});
