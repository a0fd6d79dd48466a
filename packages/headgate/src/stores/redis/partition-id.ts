/**
 * Makes the keys of partitions: `headgate:{user:42}`. Different partitions never share a key: the space (the names of
 * limiter and layer) is written with its separators escaped, and keys that UTF-8 cannot encode are written as JSON
 * after a different separator.
 *
 * Because of the braces, Redis Cluster chooses the slot by space and key alone, whatever the prefix is. A prefix that
 * has braces itself puts everything into one slot.
 */
export function partitionKeys(prefix: string): (space: string, key: string) => string {
  const beginnings = new Map<string, string>();
  return (space, key) => {
    let beginning = beginnings.get(space);
    if (beginning === undefined) {
      beginning = `${prefix}{${space.replace(/[%:;{}]/g, escapeCharacter)}`;
      beginnings.set(space, beginning);
    }
    if (!isWellFormed(key)) return `${beginning};${JSON.stringify(key)}}`;
    return `${beginning}:${key}}`;
  };
}

/**
 * The two keys for the holds of a partition's reservations, in the same slot. They cannot be a partition's key, because
 * those end with a brace.
 */
export function holdingsKeys(storedKey: string): readonly [held: string, expiry: string] {
  return [`${storedKey}:held`, `${storedKey}:expiry`];
}

/** The key of an id that a request of the partition has claimed, in the same slot. It ends with a quote; partition keys do not. */
export function claimKey(storedKey: string, id: string): string {
  return `${storedKey}:claim:${JSON.stringify(id)}`;
}

/**
 * The key for the records of attempts that charge this partition and partitions in other slots. It is in this
 * partition's slot.
 */
export function recordsKey(storedKey: string): string {
  return `${storedKey}:attempts`;
}

/** Whether a prefix puts every key into one slot: it has the braces that a cluster looks at. */
export function isOneSlot(prefix: string): boolean {
  const open = prefix.indexOf("{");
  return open >= 0 && prefix.indexOf("}", open + 1) > open + 1;
}

/** Whether the text has no unpaired surrogate, which UTF-8 cannot write. Node 20 and later have the method. */
function isWellFormed(key: string): boolean {
  return (key as string & { isWellFormed(): boolean }).isWellFormed();
}

function escapeCharacter(character: string): string {
  return `%${character.charCodeAt(0).toString(16)}`;
}

const encoder = new TextEncoder();

/** The Redis Cluster slot of a key, 0 to 16383 (Redis Cluster specification, "Key distribution model"). */
export function slotOf(key: string): number {
  const open = key.indexOf("{");
  const close = open < 0 ? -1 : key.indexOf("}", open + 1);
  const hashed = close > open + 1 ? key.slice(open + 1, close) : key;
  let crc = 0;
  for (const byte of encoder.encode(hashed)) {
    crc = ((crc << 8) ^ (crcTable[((crc >>> 8) ^ byte) & 0xff] as number)) & 0xffff;
  }
  return crc & 0x3fff;
}

/** CRC-16/XMODEM. */
const crcTable = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
  return crc & 0xffff;
});
