/** Up to this many are copied one by one, which is quicker than a bulk copy. */
const few = 64;

/**
 * Copies `count` numbers from one place to another. Where both are in the same array and overlap, to an earlier place only.
 */
export function copyNumbers(
  source: Float64Array,
  from: number,
  into: Float64Array,
  to: number,
  count: number,
): void {
  if (count > few) into.set(source.subarray(from, from + count), to);
  else for (let i = 0; i < count; i += 1) into[to + i] = source[from + i] as number;
}
