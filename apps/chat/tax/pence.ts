/** Calculations use whole pence; inputs and outputs are in pounds. */

/** Rounds half away from zero, and removes the binary noise of amounts such as 1.005. */
export function toPence(pounds: number): number {
  const pence = Number((Math.abs(pounds) * 100).toFixed(6));
  return Math.sign(pounds) * Math.round(pence) || 0;
}

export function toPounds(pence: number): number {
  return pence / 100;
}

/** @param rate hundredths of a per cent @returns whole pence, rounded half up */
export function shareOf(pence: number, rate: number): number {
  return Math.round((pence * rate) / 10_000);
}
