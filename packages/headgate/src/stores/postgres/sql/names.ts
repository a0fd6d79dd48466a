/**
 * The version of the functions, part of their names: processes of an older and of a newer release may share a
 * database while one replaces the other, each calling its own. Raise it with every change to a function.
 */
export const functionsVersion = 16;

/** The names that the statements use, quoted. */
export interface SqlNames {
  readonly schema: string;
  readonly table: string;
  /** What each reservation has used and holds, one row for each of its partitions. */
  readonly holdsTable: string;
  /** Operators' overrides, one row for each overridden partition. */
  readonly overridesTable: string;
  /** The texts that the processes of each limiter share: their overrides by prefix. */
  readonly textsTable: string;
  /** When partitions were reset. */
  readonly resetsTable: string;
  /** The ids that requests have claimed. */
  readonly claimsTable: string;
  readonly slotType: string;
  /** The name of a function, with its version. */
  readonly fn: (name: string) => string;
  /**
   * The first key of the advisory locks. Stores in different schemas have different ones, and do not wait for each
   * other.
   */
  readonly lockClass: number;
}

/** @param schema as it was given: it is quoted here, whatever it contains. */
export function namesIn(schema: string): SqlNames {
  const quoted = quoteName(schema);
  return {
    schema: quoted,
    table: `${quoted}.partitions`,
    holdsTable: `${quoted}.holds`,
    overridesTable: `${quoted}.overrides`,
    textsTable: `${quoted}.texts`,
    resetsTable: `${quoted}.resets`,
    claimsTable: `${quoted}.claims`,
    slotType: `${quoted}.slot_${functionsVersion}`,
    fn: (name) => `${quoted}.${name}_${functionsVersion}`,
    lockClass: smallHash(`headgate ${schema}`),
  };
}

/** An identifier in SQL. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A string in SQL, for any value of `standard_conforming_strings`. */
export function quoteText(text: string): string {
  return `E'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}

/** FNV-1a, 32 bits, signed. */
export function smallHash(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash | 0;
}
