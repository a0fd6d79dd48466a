/**
 * Tables that the script makes for every decision, by the letter of their variable. Their fields are numbered in this
 * order: Lua makes and reads a list faster than a record.
 */
const fields = {
  /** A partition: the value of its key and, from `state` on, its states. `last` is the index of the last state. */
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

/** The index of a partition's first state. */
export const firstState = fields.p.indexOf("state") + 1;
