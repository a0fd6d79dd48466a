import type { Attributes, Counter } from "@opentelemetry/api";

/** Counts by attributes. The counts are added to a counter when metrics are collected. */
export interface Tally {
  /** @param values the value of each attribute, in the order of their names; `undefined`: the attribute is absent. */
  add(amount: number, ...values: (string | undefined)[]): void;
  /** Adds what was counted since the last call to the counter. */
  flush(): void;
}

interface Leaf {
  readonly attributes: Attributes;
  amount: number;
}

type Branch = Map<string | undefined, Branch | Leaf>;

/**
 * An SDK sorts and hashes the attributes at each `add`, which takes longer than a decision in memory. A tally finds its
 * count by the attributes' values, and is empty again after each collection.
 *
 * @param names of the attributes that differ
 * @param common the attributes of all counts
 */
export function createTally(counter: Counter, names: readonly string[], common: Attributes): Tally {
  let root: Branch = new Map();
  let leaves: Leaf[] = [];

  function leafOf(values: readonly (string | undefined)[]): Leaf {
    let branch = root;
    const last = values.length - 1;
    for (let v = 0; v < last; v += 1) {
      let next = branch.get(values[v]) as Branch | undefined;
      if (next === undefined) {
        next = new Map();
        branch.set(values[v], next);
      }
      branch = next;
    }
    const known = branch.get(values[last]) as Leaf | undefined;
    if (known !== undefined) return known;
    const given = names.flatMap((name, v) => (values[v] === undefined ? [] : [[name, values[v]] as const]));
    const leaf = { attributes: { ...common, ...Object.fromEntries(given) }, amount: 0 };
    branch.set(values[last], leaf);
    leaves.push(leaf);
    return leaf;
  }

  return {
    add(amount, ...values) {
      leafOf(values).amount += amount;
    },

    flush() {
      for (const { attributes, amount } of leaves) counter.add(amount, attributes);
      root = new Map();
      leaves = [];
    },
  };
}
