import { type LimitReading, unread } from "../../core/admission.ts";
import type { Limit } from "../../core/limit.ts";
import type { LimitSet } from "../../core/limit-set.ts";
import type { Charge, Reading } from "../../core/store.ts";

/** What the list form says of some layers' limits for every caller: the policy, and the words before the numbers. */
export interface Wording {
  readonly sets: readonly LimitSet[];
  /** The value of `RateLimit-Policy`. */
  readonly policy: string;
  /** For each of `sets`, for each of its limits: what `RateLimit` says of it before what remains. */
  readonly openings: readonly (readonly string[])[];
}

/** Most requests are charged under the same limits as the one before. */
let last: Wording = { sets: [], policy: "", openings: [] };

/** Of several plans, or of several limiters, by the limits of the first layer that applies. */
const known = new WeakMap<LimitSet, Wording>();

/** How the limits of these charges, at least one, are shown. */
export function wordingOf(charges: readonly Charge[]): Wording {
  if (isOf(last, charges)) return last;
  const first = (charges[0] as Charge).limits;
  const before = known.get(first);
  if (before !== undefined && isOf(before, charges)) {
    last = before;
  } else {
    last = wordingFor(charges.map(({ limits }) => limits));
    known.set(first, last);
  }
  return last;
}

function isOf({ sets }: Wording, charges: readonly Charge[]): boolean {
  if (sets.length !== charges.length) return false;
  for (let c = 0; c < charges.length; c += 1) if ((charges[c] as Charge).limits !== sets[c]) return false;
  return true;
}

function wordingFor(sets: readonly LimitSet[]): Wording {
  // Of `unlimited` there is nothing to say.
  const shown = sets.map((set) => (set.word === undefined ? set : { limits: [], names: [] }));
  const named = shown.flatMap(({ limits, names }) =>
    limits.map(({ quota, unit, windowMs }, l) => ({ name: names[l] as string, quota, unit, windowMs })),
  );
  const first = shown.findIndex(({ names }) => names.length > 0);
  const openings = shown.map(({ names }, c) =>
    names.map((name, l) => openingOf(name, c === first && l === 0)),
  );
  return { sets, policy: policyOf(named), openings };
}

/** The value of `RateLimit-Policy` in the list form. */
export function policyOf(
  limits: readonly Pick<LimitReading, "name" | "quota" | "unit" | "windowMs">[],
): string {
  // Joined, not added up: a text that is kept for many requests is then one piece, which readers need not flatten again.
  return limits.map(itemOf).join(", ");
}

function itemOf(limit: Pick<LimitReading, "name" | "quota" | "unit" | "windowMs">): string {
  const { name, quota, unit } = limit;
  const item = `"${name}";q=${quota};w=${windowSeconds(limit)}`;
  return unit === "requests" ? item : `${item};qu="${unit}"`;
}

/** What `RateLimit` says of a limit before what remains of it. */
export function openingOf(name: string, isFirst: boolean): string {
  return `${isFirst ? "" : ", "}"${name}";r=`;
}

/** What `RateLimit` says of one limit. */
export function stateItem(opening: string, { remaining, resetMs }: Omit<Reading, "waitMs">): string {
  return `${opening}${remaining};t=${Math.ceil(resetMs / 1000)}`;
}

/** The value of `RateLimit` in the list form. A reading that a store has left out tells that nothing remains. */
export function stateIn({ openings }: Wording, readings: readonly (readonly Reading[])[]): string {
  let state = "";
  for (let c = 0; c < openings.length; c += 1) {
    const words = openings[c] as readonly string[];
    const read = readings[c];
    for (let l = 0; l < words.length; l += 1) {
      state += stateItem(words[l] as string, read?.[l] ?? unread);
    }
  }
  return state;
}

/** Fields know whole seconds only: a window below one second is shown as one. */
export function windowSeconds({ windowMs }: Pick<Limit, "windowMs">): number {
  return Math.max(1, Math.round(windowMs / 1000));
}
