import type { Micros } from "../../../contract.ts";

const microsInOne = 1_000_000;

/**
 * An amount for people, such as `$0.98`: two decimals, or four below ten cents, where two would hide what is left.
 * Rounded down: nobody is shown more than there is.
 * @param currency ISO 4217; an unknown code is written out before the amount
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
