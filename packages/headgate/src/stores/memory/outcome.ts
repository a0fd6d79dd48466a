import type { Override } from "../../core/override.ts";
import type { Charge, Outcome, Reading } from "../../core/store.ts";

type RefusedFor = NonNullable<Outcome["refusedFor"]>;

/** Each reading is three numbers: remaining, reset and wait. */
export const readingLength = 3;
export const waitPlace = 2;

/** Lists of zeros by the number of limits: the list of a batch is a copy of one of these. */
const blanks: number[][] = [];

/** As many zeros as a batch has numbers in its readings. */
export function blankNumbers(charges: readonly Pick<Charge, "limits">[]): number[] {
  let limitCount = 0;
  for (let c = 0; c < charges.length; c += 1) limitCount += (charges[c] as Charge).limits.limits.length;
  let blank = blanks[limitCount];
  if (blank === undefined) {
    blank = doubles(limitCount * readingLength);
    if (limitCount <= mostBlanks) blanks[limitCount] = blank;
  }
  return blank.slice();
}

const mostBlanks = 64;

/** Zeros, in a list that the engine stores as plain doubles: a list that starts with whole numbers would be rebuilt later. */
function doubles(length: number): number[] {
  const list: number[] = [];
  for (let i = 0; i < length; i += 1) list.push(0.5);
  for (let i = 0; i < length; i += 1) list[i] = 0;
  return list;
}

/**
 * An answer as one row of numbers. The readings of most decisions are never used, so they are only made when they are read.
 */
export class MemoryOutcome implements Outcome {
  readonly admitted: boolean;
  readonly now: number;
  readonly #charges: readonly Pick<Charge, "limits">[];
  readonly #numbers: readonly number[];
  readonly #marks: readonly number[] | undefined;
  readonly #holders: readonly boolean[] | undefined;
  readonly refusedFor?: RefusedFor;
  readonly overrides?: readonly (Override | undefined)[];
  #readings: Reading[][] | undefined;

  /**
   * @param marks one for each group of each charge; absent if nothing was spent.
   * @param holders for each limit, whether its wait is for holders.
   * @param overrides for each charge, the override that refused it.
   */
  constructor(
    admitted: boolean,
    now: number,
    charges: readonly Pick<Charge, "limits">[],
    numbers: readonly number[],
    marks: readonly number[] | undefined,
    holders?: readonly boolean[] | undefined,
    refusedFor?: RefusedFor | undefined,
    overrides?: readonly (Override | undefined)[] | undefined,
  ) {
    this.admitted = admitted;
    this.now = now;
    this.#charges = charges;
    this.#numbers = numbers;
    this.#marks = marks;
    this.#holders = holders;
    if (refusedFor !== undefined) this.refusedFor = refusedFor;
    if (overrides !== undefined) this.overrides = overrides;
  }

  /**
   * Whether this is the memory store's own answer to exactly these charges. It does not need the usual check, which would
   * have to make all its readings.
   */
  static isTo(charges: readonly Pick<Charge, "limits">[], outcome: Outcome): boolean {
    return (
      typeof outcome === "object" && outcome !== null && #charges in outcome && outcome.#charges === charges
    );
  }

  get readings(): readonly (readonly Reading[])[] {
    this.#readings ??= this.#read();
    return this.#readings;
  }

  #read(): Reading[][] {
    const numbers = this.#numbers;
    let n = 0;
    return this.#charges.map(({ limits }) =>
      limits.limits.map(() => {
        const reading: Reading = {
          remaining: numbers[n] as number,
          resetMs: numbers[n + 1] as number,
          waitMs: numbers[n + waitPlace] as number,
        };
        if (this.#holders?.[n / readingLength] === true) reading.holders = true;
        n += readingLength;
        return reading;
      }),
    );
  }

  get marks(): number[][] {
    const marks = this.#marks;
    if (marks === undefined) return [];
    let n = 0;
    return this.#charges.map(({ limits }) =>
      limits.groups.map(() => {
        n += 1;
        return marks[n - 1] as number;
      }),
    );
  }
}
