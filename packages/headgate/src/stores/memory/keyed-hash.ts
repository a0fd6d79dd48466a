const secret = crypto.getRandomValues(new Uint32Array(2));
const seed = secret[0] as number;
const finish = secret[1] as number;

/**
 * A 32-bit hash (the mixing of MurmurHash3) that cannot be predicted from outside: the seeds are drawn once a
 * process. It spreads callers over shared accounts; nothing is authenticated by it.
 */
export function keyedHash(text: string): number {
  let hash = seed;
  for (let i = 0; i < text.length; i += 1) {
    let part = Math.imul(text.charCodeAt(i), 0xcc9e2d51);
    part = (part << 15) | (part >>> 17);
    hash ^= Math.imul(part, 0x1b873593);
    hash = (hash << 13) | (hash >>> 19);
    hash = (Math.imul(hash, 5) + 0xe6546b64) | 0;
  }
  hash ^= text.length ^ finish;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
