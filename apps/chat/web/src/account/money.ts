import type { Micros } from "../../../contract.ts";

const microsInOne = 1_000_000;

/**
 * Formats an amount, such as `£0.98`, with two decimals, or two to four if it is below 0.1. It rounds down, so that it
 * never shows more than there is.
 * @param currency ISO 4217; an unknown code is shown before the amount
 */
export function formatMoney(micros: Micros, currency: string): string {
  const amount = micros / microsInOne;
  const small = micros !== 0 && Math.abs(amount) < 0.1;
  const options = {
    minimumFractionDigits: 2,
    maximumFractionDigits: small ? 4 : 2,
    roundingMode: "floor",
  } as const;
  try {
    return new Intl.NumberFormat("en-GB", {
      ...options,
      style: "currency",
      currency,
      currencyDisplay: "narrowSymbol",
    }).format(amount);
  } catch {
    return `${currency} ${new Intl.NumberFormat("en-GB", options).format(amount)}`;
  }
}
