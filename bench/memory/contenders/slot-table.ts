/**
 * Slots by hash in one array, with linear probing: no strings kept, no object a caller.
 *
 * @param most how many keys it will be asked for, at most
 * @returns the slot of a key, from 0 up, the same for the same key
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

/** FNV-1a with a last mixing; never 0, which marks an empty place. */
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
