import { processWide } from "../core/copies.ts";
import { formatLimit } from "../core/limit.ts";
import type { LimitSet } from "../core/limit-set.ts";
import type { DefinedPolicy } from "../core/policy.ts";
import type { Store } from "../core/store.ts";

/** The number of open limiters of each kind. */
type Counts = Map<string, number>;

/** The open limiters that share a store: by name, then by their limits as text. */
type Sharers = Map<string, Counts>;

const { byObject, byUrl, byName } = /* @__PURE__ */ processWide("live-limiters", () => ({
  byObject: new WeakMap<Store, Sharers>(),
  byUrl: new Map<string, Sharers>(),
  byName: new Map() as Counts,
}));

const manyOfOneName = 20;
/** A program has few limiter names. Random names must not fill the memory. */
const mostKept = 1000;

/**
 * Warns about limiters that share counts by accident, and about limiters that are created again and again.
 *
 * @param shared the store object or the URL of the shared store; `undefined` if no other limiter can use the store.
 * @returns a function to call when the limiter is closed.
 */
export function registerLimiter<Caller>(
  { name, layers }: { name: string; layers: DefinedPolicy<Caller>["layers"] },
  shared: Store | string | undefined,
  warn: (warning: string) => void,
): () => void {
  if (increase(byName, name) === manyOfOneName) {
    warn(
      `${manyOfOneName} limiters named "${name}" have been created and not closed. Create a limiter once, when the process ` +
        "starts: a new limiter for each request counts nothing. Close limiters that are no longer needed.",
    );
  }
  const forget = shared === undefined ? undefined : compareWithOthers(name, inWords(layers), shared, warn);
  let ended = false;
  return () => {
    if (ended) return;
    ended = true;
    decrease(byName, name);
    forget?.();
  };
}

function compareWithOthers(
  name: string,
  limits: string,
  shared: Store | string,
  warn: (warning: string) => void,
): () => void {
  const sharers = sharersOf(shared);
  const known: Counts = sharers.get(name) ?? new Map();
  const other = [...known.keys()].find((one) => one !== limits);
  if (other !== undefined) {
    warn(
      `Two limiters named "${name}" share a store and have different limits: ${other}; and ${limits}. ` +
        "Give each its own name, or close the first one.",
    );
  }
  increase(known, limits);
  keep(sharers, name, known);
  return () => {
    decrease(known, limits);
    if (known.size === 0 && sharers.get(name) === known) sharers.delete(name);
    if (sharers.size === 0 && typeof shared === "string") byUrl.delete(shared);
  };
}

function sharersOf(shared: Store | string): Sharers {
  const known = typeof shared === "string" ? byUrl.get(shared) : byObject.get(shared);
  if (known !== undefined) return known;
  const none: Sharers = new Map();
  if (typeof shared === "string") keep(byUrl, shared, none);
  else byObject.set(shared, none);
  return none;
}

function keep<Value>(map: Map<string, Value>, key: string, value: Value): void {
  if (map.size >= mostKept && !map.has(key)) map.clear();
  map.set(key, value);
}

function increase(counts: Counts, key: string): number {
  const count = (counts.get(key) ?? 0) + 1;
  keep(counts, key, count);
  return count;
}

function decrease(counts: Counts, key: string): void {
  const count = (counts.get(key) ?? 0) - 1;
  if (count > 0) counts.set(key, count);
  else counts.delete(key);
}

function inWords<Caller>(layers: DefinedPolicy<Caller>["layers"]): string {
  return layers.map((layer) => `${layer.name} ${layer.knownLimits.map(setInWords).join(", ")}`).join("; ");
}

function setInWords({ plan, word, limits }: LimitSet): string {
  const text = word ?? limits.map(formatLimit).join(", ");
  return plan === undefined ? text : `${plan}: ${text}`;
}
