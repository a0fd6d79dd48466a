import { HeadgateError } from "headgate";

/**
 * A misspelt option would be ignored, and what it asks for would not happen.
 *
 * @param of who takes the options, for the message
 * @throws HeadgateError `option-invalid` for an option that does not exist, and for what is no object
 */
export function checkNames<Options extends object>(
  of: string,
  options: Options,
  known: Record<keyof Options, true>,
): void {
  const names = Object.keys(known).join(", ");
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw new HeadgateError("option-invalid", `The options of ${of} must be an object with ${names}.`);
  }
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(known, name)) continue;
    throw new HeadgateError("option-invalid", `${of} has no option "${name}". It takes ${names}.`);
  }
}
