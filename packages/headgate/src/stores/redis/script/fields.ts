/**
 * Tables of the script that every decision makes, by the letter that they are always called. Their fields are numbered, in
 * this order: Lua makes and reads a list faster than a record.
 */
const fields = {
  /** A partition: what its key holds, and, from `state` on, its states. `last` is where the last of them stands. */
  p: ["key", "raw", "changedAt", "testClock", "corrupt", "last", "state"],
  /** A state; from `raw` on, that of sliding windows. */
  s: [
    "tag",
    "blankAt",
    "at",
    "upto",
    "group",
    "raw",
    "widest",
    "base",
    "total",
    "first",
    "count",
    "kept",
    "oldest",
    "newest",
    "changed",
  ],
} as const;

/** Writes `s[2]` for `s.blankAt`. Fields without a number keep their names. */
export function numberFields(lua: string): string {
  return lua.replace(/\b([ps])\.(\w+)/g, (text, table: keyof typeof fields, field: string) => {
    const place = (fields[table] as readonly string[]).indexOf(field);
    return place < 0 ? text : `${table}[${place + 1}]`;
  });
}

/** Where a partition's first state stands. */
export const firstState = fields.p.indexOf("state") + 1;
