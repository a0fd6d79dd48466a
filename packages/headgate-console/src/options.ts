import { HeadgateError } from "headgate";

/**
 * Rejects options that do not exist: otherwise a misspelt option would be ignored.
 *
 * @param of the function that takes the options, for the message
 * @throws HeadgateError `option-invalid` for an option that does not exist, or a value that is not an object
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
