/** What was given in place of what would be right, in a few words. */
export function describe(given: unknown): string {
  if (typeof given === "function") return `the function "${given.name}"`;
  if (given instanceof Promise) return "a promise";
  if (typeof given === "bigint") return `${given}n`;
  if (typeof given !== "object" || given === null) return JSON.stringify(given) ?? String(given);
  const names = Object.keys(given);
  return names.length === 0 ? "{}" : `an object with ${names.slice(0, 5).join(", ")}`;
}
