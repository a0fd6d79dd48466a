import { checkOptions } from "../../core/options.ts";
import type { Store } from "../../core/store.ts";
import type { FakeClock } from "../fake-clock.ts";
import { changes } from "./changes.ts";
import { changingScripts } from "./changing-scripts.ts";
import { claiming, claimingScripts } from "./claiming.ts";
import { coarse } from "./coarse.ts";
import { type Case, laws } from "./laws.ts";
import { overrides } from "./overrides.ts";
import { overridingScripts } from "./overriding-scripts.ts";
import { partitions } from "./partitions.ts";
import { reserving } from "./reserving.ts";
import { resetting } from "./resetting.ts";
import { scripts } from "./scripts.ts";
import { settling } from "./settling.ts";
import { startTrial } from "./trial.ts";

/** A store to be tested, and the clock that it goes by. */
export interface StoreUnderTest {
  readonly store: Store;
  /**
   * Moves the store's time. A store that takes `now` from its caller needs no more than `fakeClock()`; a store with a
   * clock of its own must be made to read this one.
   */
  readonly clock: FakeClock;
  /** Gives up what `create` made; called after each test, whether it passed or not. */
  close(): void | Promise<void>;
}

export interface StoreSuiteOptions {
  /**
   * Makes a store; called once for each test. It need not be empty: every test uses partitions of its own. It may be
   * the same store each time, as long as `close` then leaves it open.
   */
  create: () => StoreUnderTest | Promise<StoreUnderTest>;
  /** How many random scripts of each kind are played, 30 steps each; 40 by default. */
  scripts?: number;
}

/** One test of a store, to be handed to any test runner. */
export interface StoreTest {
  /** What must hold. No two tests share a name. */
  readonly name: string;
  /** Resolves if it holds, rejects with a sentence that says what was expected and what was got. */
  run(): Promise<void>;
}

/**
 * The tests that every store must pass: all or nothing, exact edges, honest waits, costs, refunds, resets, leases, limits that
 * share a partition, blocks, ids of requests, limits that change, the coarse logs of large quotas and their stated error, many decisions in one
 * turn, windows from 1 ms to 10 years, large
 * numbers, clocks set back, and the same answers as the definitions and as the memory store to random scripts, which
 * are the same on every run.
 *
 * ```ts
 * for (const { name, run } of storeSuite({ create })) test(name, run);
 * ```
 */
export function storeSuite(options: StoreSuiteOptions): StoreTest[] {
  checkOptions("storeSuite", options, ["create", "scripts"], "option-invalid");
  const { create, scripts: count = 40 } = options;
  return [
    ...laws,
    ...coarse,
    ...settling,
    ...resetting,
    ...reserving,
    ...changes,
    ...overrides,
    ...claiming,
    ...partitions,
    ...scripts(count),
    ...changingScripts(count),
    ...overridingScripts(count),
    ...claimingScripts(count),
  ].map(({ name, run }: Case) => ({
    name,
    async run() {
      const { store, clock, close } = await create();
      try {
        await run(startTrial(store, clock));
      } finally {
        await close();
      }
    },
  }));
}
