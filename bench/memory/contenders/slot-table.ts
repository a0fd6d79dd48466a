/**
 * A hash table of slots in two typed arrays, with linear probing. It keeps no strings and no object per caller.
 *
 * @param most the maximum number of keys
 * @returns a function that returns the slot of a key, from 0 up
 */
export function slotTable(most: number): (key: string) => number {
  const size = 2 ** Math.ceil(Math.log2(Math.max(16, 2 * most)));
  const mask = size - 1;
  const hashes = new Uint32Array(size);
  const slots = new Uint32Array(size);
  let used = 0;
  return (key) => {
    const hash = hashOf(key);
    let place = hash & mask;
    for (;;) {
      const found = hashes[place];
      if (found === hash) return slots[place] as number;
      if (found === 0) {
        hashes[place] = hash;
        slots[place] = used;
        used += 1;
        return used - 1;
      }
      place = (place + 1) & mask;
    }
  };
}

/** FNV-1a with a final mix. Never 0, which marks an empty slot. */
function hashOf(key: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < key.length; index += 1) {
    hash = Math.imul(hash ^ key.charCodeAt(index), 0x01000193);
  }
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  return hash >>> 0 || 1;
}
