import type { Charge, Outcome, Reading } from "../../core/store.ts";

/** Numbers of one reading. */
export const readingLength = 3;

/**
 * An answer as one row of numbers: remaining, wait and reset of each limit. Most decisions are never looked at limit by
 * limit, so that the readings are made when they are.
 */
export class MemoryOutcome implements Outcome {
  readonly admitted: boolean;
  readonly now: number;
  readonly #charges: readonly Pick<Charge, "limits">[];
  readonly #numbers: readonly number[];
  readonly #marks: readonly number[] | undefined;
  #readings: Reading[][] | undefined;

  /** @param marks one for each group of each charge; absent where nothing was spent. */
  constructor(
    admitted: boolean,
    now: number,
    charges: readonly Pick<Charge, "limits">[],
    numbers: readonly number[],
    marks: readonly number[] | undefined,
  ) {
    this.admitted = admitted;
    this.now = now;
    this.#charges = charges;
    this.#numbers = numbers;
    this.#marks = marks;
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
        const reading = {
          remaining: numbers[n] as number,
          waitMs: numbers[n + 1] as number,
          resetMs: numbers[n + 2] as number,
        };
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
