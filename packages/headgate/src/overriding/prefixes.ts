import { after } from "../core/after.ts";
import { inBackgroundBy } from "../core/background.ts";
import type { Clock } from "../core/clock.ts";
import { HeadgateError } from "../core/errors.ts";
import {
  beginOverride,
  inForce,
  type Override,
  type OverrideByPrefix,
  type OverrideTerms,
} from "../core/override.ts";
import { isWorker } from "../core/runtime.ts";
import type { SharedText, Store } from "../core/store.ts";
import {
  emptyList,
  isNewer,
  type ListedOverride,
  latestOf,
  listAfter,
  type PrefixList,
  readList,
  writeList,
} from "./prefix-list.ts";
import { checkEndedPrefix } from "./terms.ts";

/** Where an override by prefix applies. */
export interface PrefixTarget {
  /** The layer whose keys begin with the prefix. */
  layer: string;
  /** The first 1 to 200 characters of the keys, as the layer's `key` returns them. */
  prefix: string;
}

/** An operator's override for every caller whose key begins with a prefix. */
export interface PrefixOverride extends Readonly<PrefixTarget>, Omit<Override, "id"> {}

/** The maximum number of a limiter's overrides by prefix. */
export const mostPrefixes = 1000;
/** How often an active process reads the overrides, ms. */
const everyMs = 1000;
/**
 * How long after its last decision a process stops reading the overrides until the next decision, ms. An idle process
 * does not wake the store.
 */
const idleAfterMs = 60_000;
/** How often a change is tried when other processes make changes at the same time. */
const mostTries = 20;

export interface PrefixesOptions {
  readonly store: Store;
  readonly limiter: string;
  readonly clock: Clock;
  /** The layers of the policy. */
  readonly layerNames: () => readonly string[];
  readonly report: (error: unknown) => void;
  /** Called when the overrides in force have changed. */
  readonly onChanged: () => void;
  /** Calls the store for an operator. If this call fails, the operator's call fails. */
  readonly call: <Answer>(call: () => Answer | Promise<Answer>) => Answer | Promise<Answer>;
}

/**
 * The overrides by prefix that a limiter's processes share. The store keeps them as one text with a version. Each
 * process caches them and reads them every second, so a decision needs no round trip for them. While the store cannot
 * be read, the cached overrides stay in force.
 */
export interface Prefixes {
  readonly isEmpty: boolean;
  /** Returns the override in force for a key. The longest prefix wins. */
  find(layer: string, key: string, now: number): OverrideByPrefix | undefined;
  /** Call this before a decision. Resolves once the overrides have been read; `undefined` if they are known already. */
  refresh(): Promise<void> | undefined;
  /** Reads the overrides. Never rejects. */
  load(): Promise<void>;
  /** Sets the override of a prefix, replacing an earlier one. Without terms, ends it. */
  set(target: PrefixTarget, terms: OverrideTerms | undefined): void | Promise<void>;
  list(): readonly PrefixOverride[] | Promise<readonly PrefixOverride[]>;
  stop(): void;
}

export function createPrefixes(options: PrefixesOptions): Prefixes {
  const { store, limiter, clock, layerNames, report, onChanged, call } = options;
  const isKept = store.readShared !== undefined && store.writeShared !== undefined;
  let known = emptyList;
  let byLayer = index([]);
  let readAt: number | undefined;
  let reading: Promise<void> | undefined;
  let callOff = () => {};
  let stopped = false;
  let askedAt = 0;
  let hasFailed = false;

  function adopt(list: PrefixList): void {
    if (!isNewer(list, known)) return;
    byLayer = index(list.overrides);
    known = list;
    onChanged();
  }

  /**
   * Takes the list of the store. If the store has lost overrides, writes them back: a block must not end because a
   * store lost its data.
   */
  function take(shared: SharedText): void | Promise<void> {
    const found = readList(shared);
    const latest = latestOf(found, known);
    if (latest === found) return adopt(found);
    // If another process wrote first, the next read shows its result.
    return after(writeOf(store)(limiter, found.version, writeList(latest)), (isDone) => {
      if (isDone) adopt(latest);
    });
  }

  /** The next read follows a second later. A series of failures is reported once. */
  function failed(error: unknown): void {
    if (stopped) return;
    readAt = clock.now();
    if (!hasFailed)
      report(new Error("Overrides by prefix could not be read from the store.", { cause: error }));
    hasFailed = true;
  }

  async function read(): Promise<void> {
    try {
      const shared = await store.readShared?.(limiter, known.version);
      if (shared !== undefined) await take(shared);
      readAt = clock.now();
      hasFailed = false;
    } catch (error) {
      failed(error);
    }
  }

  /** The next read begins only after this read has ended, however far the clock moves. */
  function load(): Promise<void> {
    if (!isKept) return Promise.resolve();
    reading ??= read().finally(() => {
      reading = undefined;
      callOff();
      if (!stopped && !isWorker) callOff = inBackgroundBy(clock, everyMs, readAgain);
    });
    return reading;
  }

  function readAgain(): void {
    if (clock.now() - askedAt < idleAfterMs) void load();
    else readAt = undefined;
  }

  function refreshHere(): void {
    try {
      const shared = store.readShared?.(limiter, known.version);
      if (shared instanceof Promise) void load();
      else if (shared !== undefined) Promise.resolve(take(shared)).catch(failed);
    } catch (error) {
      failed(error);
    }
  }

  /** @returns whether the change was made. It fails if another process has made a change since the list was read. */
  function tryChange(found: PrefixList, change: Change): boolean | Promise<boolean> {
    const latest = latestOf(found, known);
    const next = listAfter(latest, change(latest.overrides.filter((one) => inForce(one, clock.now()))));
    return after(
      call(() => writeOf(store)(limiter, found.version, writeList(next))),
      (isDone) => {
        if (isDone) adopt(next);
        return isDone;
      },
    );
  }

  function change(of: Change, tries = mostTries): void | Promise<void> {
    if (tries === 0) {
      throw new HeadgateError(
        "store-unavailable",
        "Other processes are changing overrides by prefix at the same time. Try again.",
      );
    }
    return after(readStored(), (found) =>
      after(tryChange(found, of), (isDone): void | Promise<void> =>
        isDone ? undefined : change(of, tries - 1),
      ),
    );
  }

  function readStored(): PrefixList | Promise<PrefixList> {
    return after(
      call(() => readOf(store)(limiter, never)),
      (shared) => (shared === undefined ? emptyList : readList(shared)),
    );
  }

  return {
    get isEmpty() {
      return byLayer.size === 0;
    },

    find(layer, key, now) {
      const prefixes = byLayer.get(layer);
      if (prefixes === undefined) return undefined;
      for (const length of prefixes.lengths) {
        if (length > key.length) continue;
        const found = prefixes.of.get(key.slice(0, length));
        if (inForce(found, now) !== undefined) return found;
      }
      return undefined;
    },

    refresh() {
      if (!isKept) return undefined;
      if (!store.remote) {
        refreshHere();
        return undefined;
      }
      askedAt = clock.now();
      if (readAt === undefined) return load();
      return isWorker && askedAt - readAt >= everyMs ? load() : undefined;
    },

    load,

    set({ layer, prefix }, terms) {
      const begun = terms && { layer, prefix, ...beginOverride(terms, clock.now()) };
      return change((kept) => {
        const others = kept.filter((one) => one.layer !== layer || one.prefix !== prefix);
        if (begun === undefined) {
          checkEndedPrefix({ layer, prefix }, layerNames(), others.length < kept.length);
          return others;
        }
        if (others.length < mostPrefixes) return [...others, begun];
        throw new HeadgateError(
          "store-full",
          `A limiter has at most ${mostPrefixes} overrides by prefix, and all of them are in force. End some with ` +
            "endPrefixOverride, or choose shorter prefixes.",
        );
      });
    },

    list() {
      return after(readStored(), (found) => {
        const now = clock.now();
        return latestOf(found, known).overrides.flatMap((one) => {
          const { id: _, ...shown } = one;
          return inForce(one, now) === undefined ? [] : [shown];
        });
      });
    },

    stop() {
      stopped = true;
      callOff();
    },
  };
}

/** A version that is never equal to the version of a text. */
const never = -1;

/** Returns the new list for the overrides in force. */
type Change = (kept: readonly ListedOverride[]) => readonly ListedOverride[];

interface OfLayer {
  /** The lengths of all prefixes, in descending order. */
  readonly lengths: readonly number[];
  readonly of: ReadonlyMap<string, OverrideByPrefix>;
}

function index(kept: readonly ListedOverride[]): ReadonlyMap<string, OfLayer> {
  const byLayer = new Map<string, Map<string, OverrideByPrefix>>();
  for (const { layer, ...override } of kept) {
    const of = byLayer.get(layer) ?? new Map<string, OverrideByPrefix>();
    byLayer.set(layer, of);
    of.set(override.prefix, override);
  }
  return new Map(
    [...byLayer].map(([layer, of]) => {
      const lengths = [...new Set([...of.keys()].map(({ length }) => length))].sort((a, b) => b - a);
      return [layer, { lengths, of }];
    }),
  );
}

function readOf(store: Store): NonNullable<Store["readShared"]> {
  return (store.readShared ?? missing(store)).bind(store);
}

function writeOf(store: Store): NonNullable<Store["writeShared"]> {
  return (store.writeShared ?? missing(store)).bind(store);
}

function missing({ name }: Store): never {
  throw new HeadgateError(
    "store-invalid",
    `The store "${name}" keeps no overrides by prefix: it has no readShared() and writeShared(). See docs/writing-a-store.md.`,
  );
}
