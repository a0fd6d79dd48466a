import { HeadgateError } from "./errors.ts";
import { show } from "./show.ts";

/** @throws HeadgateError `option-invalid`, naming the option, the value and what is expected. */
export function checkWholeNumber(name: string, value: number, least: number, most: number): number {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value;
  throw new HeadgateError(
    "option-invalid",
    `${name} must be a whole number from ${least} to ${most}, got ${show(value)}.`,
  );
}
