/** Up to this count, copying numbers one by one is faster than a bulk copy. */
const few = 64;

/** Copies `count` numbers. If source and target overlap in the same array, the target must come first. */
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
