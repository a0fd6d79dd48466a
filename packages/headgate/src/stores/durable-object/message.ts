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

/** What an object is asked. `at` is the time to decide by, ms; 0 for the object's own. */
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

/** A limit set as data. The algorithms in it are code, which both sides have. */
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

/** @throws Error where the text is no message */
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
  // JSON has null for what is not in force.
  return { ...outcome, overrides: overrides.map((override) => override ?? undefined) };
}

function writeLimits({ limits, groups }: LimitSet): string {
  const memory = new Map(groups.map(({ unit, memory: { windowMs } }) => [unit, windowMs]));
  const written: WrittenLimits = { limits, memory: [...memory] };
  return JSON.stringify(written);
}

/** Policies have few limit sets: beyond this many, those that are known are read again. */
const mostKnown = 1000;
const known = new Map<string, LimitSet>();

function readLimits(text: string): LimitSet {
  let set = known.get(text);
  if (set === undefined) {
    const { limits, memory } = JSON.parse(text) as WrittenLimits;
    const layer: LayerMemory = new Map(memory.map(([unit, windowMs]) => [unit, { windowMs }]));
    // Nothing counts where a plan is unlimited and no other plan has a limit.
    set = compileLimits("layer", limits.length === 0 ? "unlimited" : limits, layer);
    if (known.size >= mostKnown) known.clear();
    known.set(text, set);
  }
  return set;
}

/** JSON, with the one number that it has no word for. No text can be taken for it. */
function write(value: unknown): string {
  return JSON.stringify(value, (_key, one) => (one === Number.POSITIVE_INFINITY ? { never: true } : one));
}

function read(text: string): unknown {
  return JSON.parse(text, (_key, one) => (one?.never === true ? Number.POSITIVE_INFINITY : one));
}
