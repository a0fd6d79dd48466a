import type { OverrideByPrefix } from "../core/override.ts";
import type { SharedText } from "../core/store.ts";
import { mintId } from "./mint-id.ts";

export interface ListedOverride extends OverrideByPrefix {
  readonly layer: string;
}

/** The shared list of a limiter's overrides by prefix. */
export interface PrefixList {
  readonly version: number;
  /**
   * The first version of a series of lists, each made from the previous list. A store that has lost its data begins a
   * new series, at a random version. Versions can be compared only within a series: the higher version is later.
   */
  readonly series: number;
  /**
   * Other series that were merged into this series. If an override of such a series is not in this list, it has been
   * ended.
   */
  readonly merged: readonly number[];
  readonly overrides: readonly ListedOverride[];
}

export const emptyList: PrefixList = { version: 0, series: 0, merged: [], overrides: [] };

/** How many of the latest merged series a list remembers. */
const mostMerged = 100;

/**
 * Finds the current list if the store has one and this process knows another. The store may have lost all or its latest
 * data, and other processes may have made changes since.
 *
 * @returns `found` itself, unless a merged list must be written to the store.
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

/** Returns the list that replaces this list. */
export function listAfter(list: PrefixList, overrides: readonly ListedOverride[]): PrefixList {
  if (list.version > 0) return { ...list, version: list.version + 1, overrides };
  const version = mintId();
  return { version, series: version, merged: [], overrides };
}

/** JSON has no `Infinity`: an override without an end has `until: null` there. */
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
