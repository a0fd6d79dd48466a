/** Collects all garbage at once. The process needs `--expose-gc`. */
export function collect(): void {
  const { gc } = globalThis as { gc?: () => void };
  if (gc === undefined) throw new Error("This measurement needs node --expose-gc.");
  gc();
}

/** What is held now, within the engine's heap and without, in bytes; garbage is collected before. */
export function heldBytes(): number {
  // The second takes what the first only finalised.
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  // Array buffers are part of what is external.
  return heapUsed + external;
}
