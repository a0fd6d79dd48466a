import { checkNeeded, checkOptions } from "../../core/options.ts";
import type { Store } from "../../core/store.ts";
import type { FakeClock } from "../fake-clock.ts";
import { changes } from "./changes.ts";
import { changingScripts } from "./changing-scripts.ts";
import { claiming, claimingScripts } from "./claiming.ts";
import { coarse } from "./coarse.ts";
import { recordedHistories } from "./histories.ts";
import { type Case, laws } from "./laws.ts";
import { overrides } from "./overrides.ts";
import { overridingScripts } from "./overriding-scripts.ts";
import { partitions } from "./partitions.ts";
import { reserving } from "./reserving.ts";
import { resetting } from "./resetting.ts";
import { scripts } from "./scripts.ts";
import { settling } from "./settling.ts";
import { startTrial } from "./trial.ts";

/** A store to test, and its clock. */
export interface StoreUnderTest {
  readonly store: Store;
  /**
   * The store's clock. For a store that takes `now` from its caller, this is `fakeClock()`. A store with its own clock
   * must be made to read this clock.
   */
  readonly clock: FakeClock;
  /** Releases what `create` made. Called after each test, whether it passed or not. */
  close(): void | Promise<void>;
}

export interface StoreSuiteOptions {
  /**
   * Makes a store. Called once for each test. The store need not be empty, because every test uses new partitions. It
   * may return the same store each time, if `close` then leaves it open.
   */
  create: () => StoreUnderTest | Promise<StoreUnderTest>;
  /** How many random scripts of each kind to play, 30 steps or more each. Default: 40. */
  scripts?: number;
}

/** One test of a store, for any test runner. */
export interface StoreTest {
  /** The name of the test, which says what it checks. Names are unique. */
  readonly name: string;
  /** Resolves if the test passes, or rejects with what was expected and what was received. */
  run(): Promise<void>;
}

/**
 * The tests that every store must pass: all or nothing, exact edges, honest waits, costs, refunds, resets, leases,
 * limits that share a partition, blocks, ids of requests, limits that change, the coarse logs of large quotas and their
 * stated error, many decisions in one turn, windows from 1 ms to 10 years, large numbers, clocks set back, and random
 * scripts, the same on every run, which must get the same answers as from the definitions and from the memory store.
 *
 * ```ts
 * for (const { name, run } of storeSuite({ create })) test(name, run);
 * ```
 */
export function storeSuite(options: StoreSuiteOptions): StoreTest[] {
  checkOptions("storeSuite", options, ["create", "scripts"], "option-invalid");
  checkNeeded("storeSuite", options, "create");
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
    ...recordedHistories(Math.ceil(count / 8)),
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
