/** Pseudo-random numbers, the same in every run. */
export interface Random {
  /** A whole number from `from` to `to`, both included. */
  between(from: number, to: number): number;
  oneOf<Item>(items: readonly [Item, ...Item[]]): Item;
  /** True once in `times` calls, on average. */
  once(times: number): boolean;
}

/** mulberry32 (Tommy Ettinger, public domain). @param seed a whole number */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  function next(): number {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
  const between = (from: number, to: number) => from + Math.floor(next() * (to - from + 1));
  return {
    between,
    oneOf: (items) => items[between(0, items.length - 1)] ?? items[0],
    once: (times) => between(1, times) === 1,
  };
}
