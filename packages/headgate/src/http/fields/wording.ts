import { type LimitReading, unread } from "../../core/admission.ts";
import type { Limit } from "../../core/limit.ts";
import type { LimitSet } from "../../core/limit-set.ts";
import type { Charge, Reading } from "../../core/store.ts";

/** The constant parts of the list form for some layers' limits: the policy, and the text before the numbers. */
export interface Wording {
  readonly sets: readonly LimitSet[];
  /** The value of `RateLimit-Policy`. */
  readonly policy: string;
  /** For each of `sets`, for each of its limits: the text in `RateLimit` before the remaining units. */
  readonly openings: readonly (readonly string[])[];
}

/** Most requests are charged under the same limits as the previous one. */
let last: Wording = { sets: [], policy: "", openings: [] };

/** For several plans or limiters. The key is the limit set of the first layer that applies. */
const known = new WeakMap<LimitSet, Wording>();

/** The wording for these charges. There must be at least one. */
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
  // `unlimited` and `blocked` show no limits.
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
  // `join`, not `+=`: the cached text is then flat, so the engine need not flatten it later.
  return limits.map(itemOf).join(", ");
}

function itemOf(limit: Pick<LimitReading, "name" | "quota" | "unit" | "windowMs">): string {
  const { name, quota, unit } = limit;
  const item = `"${name}";q=${quota};w=${windowSeconds(limit)}`;
  return unit === "requests" ? item : `${item};qu="${unit}"`;
}

/** The text in `RateLimit` before a limit's remaining units. */
export function openingOf(name: string, isFirst: boolean): string {
  return `${isFirst ? "" : ", "}"${name}";r=`;
}

/** The item of one limit in `RateLimit`. */
export function stateItem(opening: string, { remaining, resetMs }: Omit<Reading, "waitMs">): string {
  return `${opening}${remaining};t=${Math.ceil(resetMs / 1000)}`;
}

/** The value of `RateLimit` in the list form. A missing reading is shown as nothing remaining. */
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

/** Fields have whole seconds only: a window below one second is shown as one second. */
export function windowSeconds({ windowMs }: Pick<Limit, "windowMs">): number {
  return Math.max(1, Math.round(windowMs / 1000));
}
