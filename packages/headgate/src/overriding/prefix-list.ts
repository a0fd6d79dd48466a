import type { OverrideByPrefix } from "../core/override.ts";
import type { SharedText } from "../core/store.ts";
import { mintId } from "./mint-id.ts";

export interface ListedOverride extends OverrideByPrefix {
  readonly layer: string;
}

/** The overrides by prefix of a limiter, as its processes share them. */
export interface PrefixList {
  readonly version: number;
  /**
   * The first version of the lists that were made from each other. A store that has lost its data begins another series, at a
   * random version: within a series alone, the higher version is the later one.
   */
  readonly series: number;
  /** Other series whose overrides were taken over. What they had, and this list has not, was ended since. */
  readonly merged: readonly number[];
  readonly overrides: readonly ListedOverride[];
}

export const emptyList: PrefixList = { version: 0, series: 0, merged: [], overrides: [] };

/** A list remembers the latest series that it took over, at most so many. */
const mostMerged = 100;

/**
 * The list in force where the store has one and this process knows another: a store may have lost its data, or the latest of
 * them, and other processes may have made changes there since.
 *
 * @returns `found` itself, unless the store has to be given something back.
 */
export function latestOf(found: PrefixList, known: PrefixList): PrefixList {
  if (known.version === 0 || found.merged.includes(known.series)) return found;
  if (found.version === 0 || known.merged.includes(found.series)) return known;
  if (found.series === known.series) return found.version < known.version ? known : found;
  const isFound = ({ layer, prefix }: ListedOverride) =>
    found.overrides.some((one) => one.layer === layer && one.prefix === prefix);
  return {
    version: found.version + 1,
    series: found.series,
    merged: [...found.merged, ...known.merged, known.series].slice(-mostMerged),
    overrides: [...known.overrides.filter((one) => !isFound(one)), ...found.overrides],
  };
}

export function isNewer(list: PrefixList, known: PrefixList): boolean {
  if (list.series === known.series) return list.version > known.version;
  return !known.merged.includes(list.series);
}

/** The list that takes the place of this one. */
export function listAfter(list: PrefixList, overrides: readonly ListedOverride[]): PrefixList {
  if (list.version > 0) return { ...list, version: list.version + 1, overrides };
  const version = mintId();
  return { version, series: version, merged: [], overrides };
}

/** JSON knows no infinity: what lasts for good has no end there. */
export function readList({ version, text }: SharedText): PrefixList {
  if (text === "") return { ...emptyList, version, series: version };
  const { overrides, ...rest } = JSON.parse(text) as Omit<PrefixList, "version" | "overrides"> & {
    readonly overrides: readonly (Omit<ListedOverride, "until"> & { until: number | null })[];
  };
  return {
    version,
    ...rest,
    overrides: overrides.map((one) => ({ ...one, until: one.until ?? Number.POSITIVE_INFINITY })),
  };
}

export function writeList({ version, ...rest }: PrefixList): SharedText {
  return { version, text: JSON.stringify(rest) };
}
