import { isThenable } from "./thenable.ts";

/**
 * Formats a value for an error message. Text is in quotation marks, so that `"250"` and `250` differ. Long text is cut.
 */
export function show(value: unknown): string {
  if (typeof value === "string")
    return JSON.stringify(value.length > 80 ? `${value.slice(0, 77)}...` : value);
  if (typeof value === "function") return value.name === "" ? "a function" : `the function "${value.name}"`;
  if (typeof value === "symbol") return "a symbol";
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value !== "object" || value === null) return String(value);
  if (isThenable(value)) return "a promise";
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list";
  return "an object";
}
