import type { Claim } from "../../core/claim.ts";
import type { LayerMemory } from "../../core/layer-memory.ts";
import type { Limit } from "../../core/limit.ts";
import { compileLimits, type LimitSet } from "../../core/limit-set.ts";
import type { OverrideTerms } from "../../core/override.ts";
import type { Adjustment, Charge, Hold, Outcome } from "../../core/store.ts";

interface Named {
  readonly space: string;
  readonly key: string;
}

interface Limited extends Named {
  readonly limits: LimitSet;
}

/** A question to an object. `at` is the time at which to decide, ms; 0 for the object's own time. */
export type Message =
  | {
      readonly do: "decide" | "peek";
      readonly at: number;
      readonly parts: readonly Charge[];
      readonly hold?: Hold | undefined;
      readonly claim?: Claim | undefined;
    }
  | { readonly do: "adjust"; readonly at: number; readonly parts: readonly Adjustment[] }
  | { readonly do: "reset"; readonly at: number; readonly parts: readonly Limited[] }
  | {
      readonly do: "override";
      readonly at: number;
      readonly parts: readonly Named[];
      readonly terms?: OverrideTerms | undefined;
    }
  | { readonly do: "check"; readonly at: number; readonly parts: readonly [] };

/** A limit set as data. Both sides have the code of its algorithms. */
interface WrittenLimits {
  readonly limits: readonly Limit[];
  /** How far back the layer remembers each unit, ms. */
  readonly memory: readonly (readonly [unit: string, windowMs: number])[];
}

/** A message to an object, as text. Limits that several parts share are written once. */
export function writeMessage(message: Message): string {
  const all: readonly (Named & Partial<Limited>)[] = message.parts;
  const sets = [...new Set(all.flatMap(({ limits }) => limits ?? []))];
  const parts = all.map((part) =>
    part.limits === undefined ? part : { ...part, limits: sets.indexOf(part.limits) },
  );
  return write({ ...message, parts, sets: sets.map(writeLimits) });
}

/** @throws Error if the text is not a message */
export function readMessage(text: string): Message {
  const { sets, ...message } = read(text) as Message & { sets: string[] };
  const limits = sets.map(readLimits);
  const written: readonly (Named & { limits?: unknown })[] = message.parts;
  const parts = written.map((part) =>
    part.limits === undefined ? part : { ...part, limits: limits[Number(part.limits)] },
  );
  return { ...message, parts } as Message;
}

export function writeOutcome(outcome: Outcome): string {
  return write(outcome);
}

export function readOutcome(text: string): Outcome {
  const { overrides, ...outcome } = read(text) as Outcome;
  if (overrides === undefined) return outcome;
  // In JSON, null means that no override is in force.
  return { ...outcome, overrides: overrides.map((override) => override ?? undefined) };
}

function writeLimits({ limits, groups }: LimitSet): string {
  const memory = new Map(groups.map(({ unit, memory: { windowMs } }) => [unit, windowMs]));
  const written: WrittenLimits = { limits, memory: [...memory] };
  return JSON.stringify(written);
}

/** The maximum number of limit sets in the cache. Policies have few; beyond this number, the cache is cleared. */
const mostKnown = 1000;
const known = new Map<string, LimitSet>();

function readLimits(text: string): LimitSet {
  let set = known.get(text);
  if (set === undefined) {
    const { limits, memory } = JSON.parse(text) as WrittenLimits;
    const layer: LayerMemory = new Map(memory.map(([unit, windowMs]) => [unit, { windowMs }]));
    // If a plan is unlimited and no other plan has a limit, nothing is counted.
    set = compileLimits("layer", limits.length === 0 ? "unlimited" : limits, layer);
    if (known.size >= mostKnown) known.clear();
    known.set(text, set);
  }
  return set;
}

/** Writes JSON that can also contain `Infinity`, which no text can be confused with. */
function write(value: unknown): string {
  return JSON.stringify(value, (_key, one) => (one === Number.POSITIVE_INFINITY ? { never: true } : one));
}

function read(text: string): unknown {
  return JSON.parse(text, (_key, one) => (one?.never === true ? Number.POSITIVE_INFINITY : one));
}
