/** The prime below 2^32: each half of a hash is a number below it. */
const prime = 4_294_967_291;
/** Multiplying by it takes a fraction of what dividing takes, and is off by one at most. */
const inverse = 1 / prime;
/** How many products of 48 bits, and one number of 32, add up exactly. */
const exactly = 31;

/** A hash of 64 bits, in two signed halves. */
export interface KeyHash {
  high: number;
  low: number;
}

/** Most keys are shorter. */
const usualFactors = 256;
/** Those of both sums by turns: what is used together lies together. */
let factors = new Float64Array(0);

/**
 * Hashes a text into 64 bits, so that callers are distinguished without keeping their names.
 *
 * Multilinear hashing (Carter and Wegman, 1979): the sum of the characters, each times a factor of its place, modulo a
 * prime; twice. The factors are drawn once a process, from the system's secure source, with the first key: Workers give no
 * random numbers while a module is loaded. For whatever two texts anybody
 * chooses, both sums are the same with a chance of 2^-64: among a million callers some two meet with a chance of three in
 * a hundred million, and whoever wants to meet a certain other has that chance of 2^-64 with each name. Hashes without
 * secrets can be made to meet at will.
 */
export function hashKey(text: string, into: KeyHash): void {
  const { length } = text;
  if (2 * length >= factors.length) drawFactors(Math.max(usualFactors, length + 1));
  const all = factors;
  let high = all[0] as number;
  let low = all[1] as number;
  for (let from = 0; from < length; from += exactly) {
    const to = Math.min(length, from + exactly);
    for (let i = from; i < to; i += 1) {
      // Plus one, so that a text and the same text with a NUL behind it differ.
      const unit = text.charCodeAt(i) + 1;
      high += unit * (all[2 * i + 2] as number);
      low += unit * (all[2 * i + 3] as number);
    }
    high = remainderOf(high);
    low = remainderOf(low);
  }
  into.high = high | 0;
  into.low = low | 0;
}

/** Spreads a hash evenly over 32 bits, for places in a table (the last step of MurmurHash3). */
export function spread(high: number, low: number): number {
  let bits = high ^ Math.imul(low, 0x9e3779b1);
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return bits ^ (bits >>> 16);
}

/** What is left of a sum when it is divided by the prime. */
function remainderOf(sum: number): number {
  const left = sum - Math.floor(sum * inverse) * prime;
  if (left < 0) return left + prime;
  return left >= prime ? left - prime : left;
}

/** Draws two factors for each character of texts shorter than `count`; those that were drawn before stay as they are. */
function drawFactors(count: number): void {
  const all = new Float64Array(2 * count);
  all.set(factors);
  let drawn = factors.length;
  while (drawn < all.length) {
    // The system gives out at most 65,536 bytes at once. Numbers from the prime up are drawn again, to be even.
    for (const number of crypto.getRandomValues(new Uint32Array(Math.min(all.length - drawn, 16_384)))) {
      if (number >= prime) continue;
      all[drawn] = number;
      drawn += 1;
    }
  }
  factors = all;
}
