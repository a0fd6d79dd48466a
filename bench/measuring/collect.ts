/** Runs a full garbage collection. The process needs `--expose-gc`. */
export function collect(): void {
  const { gc } = globalThis as { gc?: () => void };
  if (gc === undefined) throw new Error("This measurement needs node --expose-gc.");
  gc();
}

/** Returns the bytes held inside and outside the heap, after a garbage collection. */
export function heldBytes(): number {
  // The second collection frees what the first one finalised.
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  // `external` includes array buffers.
  return heapUsed + external;
}
