import type { Ledger, Ruling } from "../core/ruling.ts";
import type { Charge, Outcome } from "../core/store.ts";
import type { KeylessCharge } from "../stores/memory/by-keys.ts";

/**
 * The ruling of a request that was decided by its keys alone. It builds `charges` on first use, because they are rarely
 * read.
 */
export class PlainRuling implements Ruling {
  readonly outcome: Outcome;
  readonly ledger: Ledger;
  readonly layers: readonly string[];
  readonly policy: string;
  readonly #parts: readonly KeylessCharge[];
  readonly #keys: readonly string[];
  #charges: readonly Charge[] | undefined;

  constructor(
    outcome: Outcome,
    ledger: Ledger,
    layers: readonly string[],
    policy: string,
    parts: readonly KeylessCharge[],
    keys: readonly string[],
  ) {
    this.outcome = outcome;
    this.ledger = ledger;
    this.layers = layers;
    this.policy = policy;
    this.#parts = parts;
    this.#keys = keys;
  }

  get decidedBy(): "store" {
    return "store";
  }

  get charges(): readonly Charge[] {
    this.#charges ??= this.#parts.map((part, p) => ({ ...part, key: this.#keys[p] as string }));
    return this.#charges;
  }
}
