import { HeadgateError } from "headgate";

/**
 * Rejects options that do not exist: otherwise a misspelt option would be ignored.
 *
 * @param of the function that takes the options, for the message
 * @throws HeadgateError `option-invalid`
 */
export function checkNames<Options extends object>(
  of: string,
  options: Options,
  known: Record<keyof Options, true>,
): void {
  const names = Object.keys(known).join(", ");
  if (!isObject(options)) fail(`The options of ${of} must be an object with ${names}, got ${show(options)}.`);
  for (const name of Object.keys(options)) {
    if (!Object.hasOwn(known, name)) fail(`${of} has no option "${name}". It takes ${names}.`);
  }
}

/** @throws HeadgateError `option-invalid` unless the value is `undefined` or in range. */
export function checkNumber(name: string, value: unknown, least: number, most: number): void {
  if (value === undefined) return;
  if (typeof value === "number" && value >= least && value <= most) return;
  fail(`${name} must be a number from ${least} to ${most}, got ${show(value)}.`);
}

export function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Text is in quotation marks, so that `"250"` and `250` differ. */
export function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "function") return "a function";
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" && value !== null ? "an object" : String(value);
}

export function fail(message: string): never {
  throw new HeadgateError("option-invalid", message);
}
