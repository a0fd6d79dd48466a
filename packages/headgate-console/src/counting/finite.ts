/** Replaces infinity, which JSON does not have, with `null`. */
export function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
