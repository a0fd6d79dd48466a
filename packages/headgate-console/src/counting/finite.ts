/** JSON has no infinity: `null` stands for it. */
export function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
