/**
 * Converts parts to percentages with one decimal that sum to exactly 100.0, by rounding up the largest remainders.
 * @returns the percentages; all 0 if the parts sum to 0
 */
export function percentagesOf(parts: readonly number[]): number[] {
  const total = parts.reduce((sum, part) => sum + part, 0);
  if (total <= 0) return parts.map(() => 0);
  const exact = parts.map((part) => (part / total) * 1000);
  const floors = exact.map(Math.floor);
  let missing = 1000 - floors.reduce((sum, part) => sum + part, 0);
  const byRemainder = [...exact.keys()].sort(
    (one, other) => remainder(exact, other) - remainder(exact, one) || one - other,
  );
  for (const index of byRemainder) {
    if (missing <= 0) break;
    floors[index] = (floors[index] ?? 0) + 1;
    missing -= 1;
  }
  return floors.map((tenths) => tenths / 10);
}

function remainder(exact: readonly number[], index: number): number {
  const value = exact[index] ?? 0;
  return value - Math.floor(value);
}
