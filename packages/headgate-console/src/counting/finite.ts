/** JSON has no infinity: `null` represents it. */
export function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
