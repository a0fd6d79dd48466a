const LONGEST = 200;
const MARK_LENGTH = 13;
const MARK = /…~[0-9a-z]{11}$/;

/** Cuts a long text to its beginning. */
export function clip(text: string): string {
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST - 1)}…`;
}

/** Cuts a long key to its beginning and a hash of the whole key, so that keys with the same beginning stay distinct. */
export function clipKey(key: string): string {
  if (key.length <= LONGEST) return key;
  return `${key.slice(0, LONGEST - MARK_LENGTH)}…~${hash53(key).toString(36).padStart(11, "0")}`;
}

/**
 * Whether {@link clipKey} has cut a key, so that it no longer names a caller. Also true for a key that only looks cut.
 */
export function isClippedKey(key: string): boolean {
  return key.length === LONGEST && MARK.test(key);
}

/** Combines two 32-bit multiplicative hashes into 53 bits. The hash distinguishes texts, but does not hide them. */
function hash53(text: string): number {
  let high = 0xdeadbeef;
  let low = 0x41c6ce57;
  for (let place = 0; place < text.length; place += 1) {
    const code = text.charCodeAt(place);
    high = Math.imul(high ^ code, 2_654_435_761);
    low = Math.imul(low ^ code, 1_597_334_677);
  }
  high = Math.imul(high ^ (high >>> 16), 2_246_822_507) ^ Math.imul(low ^ (low >>> 13), 3_266_489_909);
  low = Math.imul(low ^ (low >>> 16), 2_246_822_507) ^ Math.imul(high ^ (high >>> 13), 3_266_489_909);
  return 4_294_967_296 * (2_097_151 & high) + (low >>> 0);
}
