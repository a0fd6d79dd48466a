/** The prime below 2^32: each half of a hash is a number below it. */
const prime = 4_294_967_291;
/** Multiplying by it is much faster than dividing, and the result is off by at most one. */
const inverse = 1 / prime;
/** The number of products of 48 bits that, with one number of 32 bits, add up exactly. */
const exactly = 31;

/** A hash of 64 bits, in two signed halves. */
export interface KeyHash {
  high: number;
  low: number;
}

/** Most keys are shorter. */
const usualFactors = 256;
/** The factors of both sums alternate, because they are used together. */
let factors = new Float64Array(0);

/**
 * Hashes a text into 64 bits, so that callers are distinguished without keeping their names.
 *
 * Multilinear hashing (Carter and Wegman, 1979): the sum of the characters, each times a factor of its place, modulo a
 * prime; twice. The factors are drawn once for each process, from the system's secure source, with the first key: Workers
 * have no random numbers while a module is loaded. For any two chosen texts, the probability that both sums are the same
 * is 2^-64. Among a million callers, the probability of any collision is three in a hundred million. An attacker who wants
 * to collide with a certain caller has a probability of 2^-64 for each name. Without a secret, collisions could be computed.
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
      // Plus one, so that a text and the same text followed by a NUL have different hashes.
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

/** The remainder of a sum divided by the prime. */
function remainderOf(sum: number): number {
  const left = sum - Math.floor(sum * inverse) * prime;
  if (left < 0) return left + prime;
  return left >= prime ? left - prime : left;
}

/** Draws two factors for each character of texts shorter than `count`. Earlier factors are kept. */
function drawFactors(count: number): void {
  const all = new Float64Array(2 * count);
  all.set(factors);
  let drawn = factors.length;
  while (drawn < all.length) {
    // The system returns at most 65,536 bytes at once. Numbers not below the prime are drawn again, to keep them uniform.
    for (const number of crypto.getRandomValues(new Uint32Array(Math.min(all.length - drawn, 16_384)))) {
      if (number >= prime) continue;
      all[drawn] = number;
      drawn += 1;
    }
  }
  factors = all;
}
