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

/** Where an override by prefix holds. */
export interface PrefixTarget {
  /** The layer whose keys begin with the prefix. */
  layer: string;
  /** The first characters of the keys, as the layer's `key` gives them: from 1 to 200. */
  prefix: string;
}

/** What an operator decided for every caller whose key begins with a prefix. */
export interface PrefixOverride extends Readonly<PrefixTarget>, Omit<Override, "id"> {}

interface Kept extends OverrideByPrefix {
  readonly layer: string;
}

/** How many a limiter can have. */
export const mostPrefixes = 1000;
/** Each process reads them this often, ms, while it decides. */
const everyMs = 1000;
/** So long after its last decision, ms, a process reads them no more until the next: an idle one wakes no store. */
const idleAfterMs = 60_000;
/** So often a change is tried where other processes make some at the same time. */
const mostTries = 20;

export interface PrefixesOptions {
  readonly store: Store;
  readonly limiter: string;
  readonly clock: Clock;
  readonly report: (error: unknown) => void;
  /** Others are in force than before. */
  readonly onChanged: () => void;
  /** Makes a call of an operator's, who is to know whether it was made. */
  readonly call: <Answer>(call: () => Answer | Promise<Answer>) => Answer | Promise<Answer>;
}

/**
 * The overrides by prefix that a limiter's processes share. They are one text in the store, with a version. Each process keeps them and
 * reads them every second, so that a decision needs no trip for them; while the store cannot be read, what is known stays in force.
 */
export interface Prefixes {
  readonly isEmpty: boolean;
  /** The one in force for a key: of several, that of the longest prefix. */
  find(layer: string, key: string, now: number): OverrideByPrefix | undefined;
  /** To be called before a decision. Resolves once they have been read; `undefined` where they are known. */
  refresh(): Promise<void> | undefined;
  /** Reads them for the first time, or again. Never rejects. */
  load(): Promise<void>;
  /** Puts one into force in place of the one before; without terms, ends it. */
  set(target: PrefixTarget, terms: OverrideTerms | undefined): void | Promise<void>;
  list(): readonly PrefixOverride[] | Promise<readonly PrefixOverride[]>;
  stop(): void;
}

export function createPrefixes(options: PrefixesOptions): Prefixes {
  const { store, limiter, clock, report, onChanged, call } = options;
  const isKept = store.readShared !== undefined && store.writeShared !== undefined;
  let known: SharedText = { version: 0, text: "" };
  let byLayer = index([]);
  let readAt: number | undefined;
  let reading: Promise<void> | undefined;
  let callOff = () => {};
  let stopped = false;
  let askedAt = 0;
  let hasFailed = false;

  function adopt(shared: SharedText | undefined): void {
    if (shared === undefined || shared.version <= known.version) return;
    byLayer = index(parse(shared.text));
    known = shared;
    onChanged();
  }

  /** What cannot be read once is read a second later: one report is enough. */
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
      // A store that has lost them is given them back: no block ends because a store begins anew.
      if (shared !== undefined && shared.version < known.version)
        await store.writeShared?.(limiter, shared.version, known);
      readAt = clock.now();
      hasFailed = false;
      adopt(shared);
    } catch (error) {
      failed(error);
    }
  }

  /** The next one begins only once this one is over, however far a clock is moved meanwhile. */
  function load(): Promise<void> {
    if (!isKept) return Promise.resolve();
    reading ??= read().finally(() => {
      reading = undefined;
      callOff();
      if (!stopped && !isWorker) callOff = later(clock, everyMs, readAgain);
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
      else if (shared !== undefined) adopt(shared);
    } catch (error) {
      failed(error);
    }
  }

  /** @returns whether it was made: not where another process has made one since this was read. */
  function tryChange(shared: SharedText, change: (kept: Kept[]) => Kept[]): boolean | Promise<boolean> {
    const text = JSON.stringify(change(parse(shared.text).filter((one) => inForce(one, clock.now()))));
    const next = { version: Math.max(shared.version, known.version) + 1, text };
    return after(
      call(() => writeOf(store)(limiter, shared.version, next)),
      (isDone) => {
        if (isDone) adopt(next);
        return isDone;
      },
    );
  }

  function change(of: (kept: Kept[]) => Kept[], tries = mostTries): void | Promise<void> {
    if (tries === 0) {
      throw new HeadgateError(
        "store-unavailable",
        "Other processes change overrides by prefix at the same time: try again.",
      );
    }
    return after(
      call(() => readOf(store)(limiter, never)),
      (shared) =>
        after(tryChange(latestOf(shared), of), (isDone): void | Promise<void> =>
          isDone ? undefined : change(of, tries - 1),
        ),
    );
  }

  /** What the store has, unless it has lost what is known here. */
  function latestOf(shared: SharedText | undefined): SharedText {
    const { version = 0, text = "" } = shared ?? {};
    return version < known.version ? { version, text: known.text } : { version, text };
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
        if (begun === undefined) return others;
        if (others.length < mostPrefixes) return [...others, begun];
        throw new HeadgateError(
          "store-full",
          `A limiter has at most ${mostPrefixes} overrides by prefix, and all of them are in force: end some with ` +
            "endPrefixOverride, or choose shorter prefixes.",
        );
      });
    },

    list() {
      return after(
        call(() => readOf(store)(limiter, never)),
        (shared) => {
          const now = clock.now();
          return parse(latestOf(shared).text).flatMap((one) => {
            const { id: _, ...shown } = one;
            return inForce(one, now) === undefined ? [] : [shown];
          });
        },
      );
    },

    stop() {
      stopped = true;
      callOff();
    },
  };
}

/** No text has this version. */
const never = -1;

interface OfLayer {
  /** The longest first. */
  readonly lengths: readonly number[];
  readonly of: ReadonlyMap<string, OverrideByPrefix>;
}

function index(kept: readonly Kept[]): ReadonlyMap<string, OfLayer> {
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

/** JSON knows no infinity: what lasts for good has no end there. */
function parse(text: string): Kept[] {
  if (text === "") return [];
  return (JSON.parse(text) as (Omit<Kept, "until"> & { until: number | null })[]).map((one) => ({
    ...one,
    until: one.until ?? Number.POSITIVE_INFINITY,
  }));
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

function later(clock: Clock, ms: number, run: () => void): () => void {
  if (clock.after !== undefined) return clock.after(ms, run);
  const timer = setTimeout(run, ms);
  // It must not keep a process alive that is otherwise done.
  if (typeof timer === "object" && "unref" in timer) timer.unref();
  return () => clearTimeout(timer);
}

function after<Value, Result>(
  value: Value | Promise<Value>,
  go: (value: Value) => Result | Promise<Result>,
): Result | Promise<Result> {
  return value instanceof Promise ? value.then(go) : go(value);
}
