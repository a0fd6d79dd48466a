/** Calculations use whole pence. Inputs and outputs are in pounds. */

/**
 * Converts pounds to whole pence. Rounds half away from zero, and removes binary rounding errors of amounts such as
 * 1.005.
 */
export function toPence(pounds: number): number {
  const pence = Number((Math.abs(pounds) * 100).toFixed(6));
  return Math.sign(pounds) * Math.round(pence) || 0;
}

export function toPounds(pence: number): number {
  return pence / 100;
}

/** Returns the share of an amount in whole pence, rounded half up. The rate is in hundredths of a per cent. */
export function shareOf(pence: number, rate: number): number {
  return Math.round((pence * rate) / 10_000);
}
