import type { Micros } from "../contract.ts";

/** The micros in one unit of a currency. Rates and factors are in millionths too, so this is also the factor 1. */
export const MICROS_PER_UNIT = 1_000_000;
const DECIMAL = /^([+-]?)(\d{1,9})(?:\.(\d{1,6}))?$/;

/**
 * Parses a decimal amount of money, without floating-point numbers.
 *
 * @param text such as `5`, `5.00` or `-0.25`; at most six decimals, at most 999,999,999 units
 * @returns the amount in integer micros, or `undefined` if the text is not an amount
 */
export function parseMicros(text: string): Micros | undefined {
  const match = DECIMAL.exec(text.trim());
  if (!match) return undefined;
  const [, sign, units, decimals = ""] = match;
  const micros = Number(units) * MICROS_PER_UNIT + Number(decimals.padEnd(6, "0"));
  return sign === "-" && micros !== 0 ? -micros : micros;
}

/**
 * Formats an amount with at least two decimals, and more if needed to be exact.
 *
 * @returns a text such as `1.25 GBP` or `-0.000125 GBP`
 */
export function formatMicros(amount: Micros, currency: string): string {
  const absolute = Math.abs(amount);
  const units = Math.floor(absolute / MICROS_PER_UNIT);
  const decimals = String(absolute % MICROS_PER_UNIT)
    .padStart(6, "0")
    .replace(/0{1,4}$/, "");
  return `${amount < 0 ? "-" : ""}${units}.${decimals} ${currency}`;
}

/** @returns an exact decimal without trailing zeros, such as `0.79` */
export function decimalOf(millionths: number): string {
  const fraction = String(millionths % MICROS_PER_UNIT)
    .padStart(6, "0")
    .replace(/0+$/, "");
  return `${Math.floor(millionths / MICROS_PER_UNIT)}${fraction && `.${fraction}`}`;
}
