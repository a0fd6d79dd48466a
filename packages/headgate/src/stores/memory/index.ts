import { type Claim, withoutRequests } from "../../core/claim.ts";
import type { LimitSet } from "../../core/limit-set.ts";
import { checkOptions } from "../../core/options.ts";
import type { OverrideTerms } from "../../core/override.ts";
import type { Adjustment, Charge, Hold, Outcome, SharedText, Store } from "../../core/store.ts";
import { checkWholeNumber } from "../../core/whole-number.ts";
import { Accounts } from "./accounts.ts";
import { BatchPath } from "./batch.ts";
import { type KeylessCharge, offerByKeys } from "./by-keys.ts";
import { Claims } from "./claims.ts";
import { GeneralPath } from "./general.ts";
import { Held } from "./held.ts";
import { hashKey, type KeyHash } from "./key-hash.ts";
import { blankNumbers, MemoryOutcome } from "./outcome.ts";
import { Overrides } from "./overrides.ts";
import { isOneRequest, PlainPath } from "./plain.ts";
import { Resets } from "./resets.ts";

export interface MemoryStoreOptions {
  /**
   * How many partitions are counted separately, over all layers; 1,000,000 by default. Beyond that, new callers
   * share accounts, which may refuse early but never widens a limit.
   */
  maxPartitions?: number;
}

/** The store in this process. It answers everything at once, without a promise. */
export interface MemoryStore extends Store {
  readonly name: "memory";
  readonly remote: false;
  decide(charges: readonly Charge[], now: number, peek: boolean, hold?: Hold, claim?: Claim): Outcome;
  adjust(adjustments: readonly Adjustment[], now: number): Outcome;
  reset(partitions: readonly { space: string; key: string; limits: LimitSet }[], now: number): void;
  /** @throws HeadgateError `store-full` beyond 100,000 partitions. */
  override(
    partitions: readonly { space: string; key: string }[],
    terms: OverrideTerms | undefined,
    now: number,
  ): void;
  readShared(limiter: string, version: number): SharedText | undefined;
  writeShared(limiter: string, version: number, next: SharedText): boolean;
  /** How full it is. */
  readonly size: { readonly partitions: number; readonly maxPartitions: number };
}

const noText: SharedText = { version: 0, text: "" };
const defaultMaxPartitions = 1_000_000;
/** The maximum number of rows that can be numbered. They would take 7 GB. */
const mostPartitions = 100_000_000;

/**
 * Counts in the memory of this process: synchronous, exact, without timers, and bounded.
 *
 * @throws HeadgateError `option-invalid`
 */
export function memoryStore(options: MemoryStoreOptions = {}): MemoryStore {
  checkOptions("memoryStore", options, ["maxPartitions"], "option-invalid");
  const { maxPartitions = defaultMaxPartitions } = options;
  checkWholeNumber("maxPartitions", maxPartitions, 1, mostPartitions);

  let accounts = new Accounts(maxPartitions);
  /** Made at the first override. */
  let overrides: Overrides | undefined;
  let resets = new Resets();
  let claims = new Claims();
  let general = new GeneralPath(accounts, new Held(), resets);
  let plain = new PlainPath(accounts);
  let batch = new BatchPath(accounts);
  /** The texts that the processes of each limiter would share. */
  const texts = new Map<string, SharedText>();
  /** The hash of the current key. */
  const key: KeyHash = { high: 0, low: 0 };

  /** Adds one request to the plain decision at hand. @returns whether it is plain, and surely not overridden. */
  function addPlain({ space, limits }: KeylessCharge, key: string, place: number): boolean {
    return plain.add(accounts.kinds.planOf(space, limits, place), key) && !overrides?.mayHave(plain.key);
  }

  function mayBeOverridden(key: KeyHash): boolean {
    return overrides?.mayHave(key) === true;
  }

  /** The readings of a batch of plain requests; `undefined` if one of them is not plain. */
  function decidePlainly(charges: readonly Charge[], now: number, peek: boolean): number[] | undefined {
    if (!plain.begin(now)) return undefined;
    for (let c = 0; c < charges.length; c += 1) {
      const charge = charges[c] as Charge;
      if (!isOneRequest(charge) || !addPlain(charge, charge.key, c)) return undefined;
    }
    return plain.decide(peek);
  }

  function admitByKeys(
    parts: readonly KeylessCharge[],
    keys: readonly string[],
    now: number,
  ): MemoryOutcome | undefined {
    // In the millisecond of a reset, charges have to be marked.
    if (now <= resets.latestAt || !plain.begin(now)) return undefined;
    for (let p = 0; p < parts.length; p += 1) {
      if (!addPlain(parts[p] as KeylessCharge, keys[p] as string, p)) return undefined;
    }
    const readings = plain.decide(false);
    if (readings !== undefined) return new MemoryOutcome(plain.admitted, now, parts, readings, undefined);
  }

  function decideClaimed(charges: readonly Charge[], now: number, hold: Hold, claim: Claim): Outcome {
    const met = claims.meet(claim, hold.rid, now);
    if (typeof met !== "number") return { admitted: false, now, readings: [], marks: [], known: met };
    const asked = claims.isPaid(claim, hold.rid, met, now) ? withoutRequests(charges) : charges;
    const outcome = general.decide(asked, now, false, hold, overrides?.findAll(asked, now));
    if (!outcome.admitted) return outcome;
    claims.begin(claim, hold.rid, met, now);
    const { readings, marks } = outcome;
    return { admitted: true, now, readings, marks, attempt: met };
  }

  const store: MemoryStore = {
    name: "memory",
    remote: false,
    claims: true,

    get size() {
      return { partitions: accounts.held, maxPartitions };
    },

    decide(charges, now, peek, hold, claim) {
      if (claim !== undefined && hold !== undefined && !peek) return decideClaimed(charges, now, hold, claim);
      // In the millisecond of a reset, charges have to be marked.
      if (hold !== undefined || isGeneral(charges) || now <= resets.latestAt) {
        return general.decide(charges, now, peek, hold, overrides?.findAll(charges, now));
      }
      const readings = decidePlainly(charges, now, peek);
      if (readings !== undefined) return new MemoryOutcome(plain.admitted, now, charges, readings, undefined);
      const into = blankNumbers(charges);
      if (batch.find(charges, now, mayBeOverridden)) {
        const found = overrides?.findAll(charges, now);
        if (found !== undefined) return general.decide(charges, now, peek, hold, found);
      }
      const admitted = batch.decide(now, peek, into);
      return new MemoryOutcome(admitted, now, charges, into, batch.marks);
    },

    adjust(adjustments, now) {
      return general.adjust(claims.change(adjustments, now), now);
    },

    reset(partitions, now) {
      for (const { space, key: text } of partitions) {
        hashKey(text, key);
        resets.note(space, text, now, accounts.reset(space, key, now));
      }
    },

    override(partitions, terms, now) {
      if (terms === undefined) {
        for (const { space, key: text } of partitions) overrides?.end(space, text);
        return;
      }
      overrides ??= new Overrides();
      overrides.set(partitions, terms, now);
    },

    readShared(limiter, version) {
      // Checked for every decision; usually there is none.
      const kept = texts.size === 0 ? noText : (texts.get(limiter) ?? noText);
      return kept.version === version ? undefined : kept;
    },

    writeShared(limiter, version, next) {
      if ((texts.get(limiter) ?? noText).version !== version) return false;
      texts.set(limiter, next);
      return true;
    },

    close() {
      texts.clear();
      accounts = new Accounts(maxPartitions);
      overrides = undefined;
      resets = new Resets();
      claims = new Claims();
      general = new GeneralPath(accounts, new Held(), resets);
      plain = new PlainPath(accounts);
      batch = new BatchPath(accounts);
    },
  };
  return offerByKeys(store, admitByKeys);
}

/** Whether any of these limits may have held units, which must then be looked up, or belongs to an override. */
function isGeneral(charges: readonly Charge[]): boolean {
  for (let c = 0; c < charges.length; c += 1) {
    const { limits, override } = charges[c] as Charge;
    if (limits.holdable || override !== undefined) return true;
  }
  return false;
}
