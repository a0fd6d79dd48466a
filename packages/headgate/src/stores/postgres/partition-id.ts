import { HeadgateError } from "../../core/errors.ts";

/** Asked for when it is needed: an import of `node:crypto` would keep the package from being bundled for the web. */
const crypto = globalThis.process?.getBuiltinModule?.("node:crypto");

/** @throws HeadgateError `store-invalid` where the runtime cannot hash at once: `crypto.subtle` answers too late. */
function createHash(name: "sha256") {
  if (crypto !== undefined) return crypto.createHash(name);
  throw new HeadgateError(
    "store-invalid",
    "A PostgreSQL store needs node:crypto, as Node 20.16, Deno 2 and Bun have it, and this runtime does not.",
  );
}

/** The lock stripes: how many locks there can be at most, whatever the number of processes and callers. */
const stripes = 1024;

export interface PartitionId {
  /** 32 hexadecimal digits. */
  readonly id: string;
  /** The stripe whose lock guards the partition, from 0 up. */
  readonly lock: number;
}

/**
 * Names a partition in the database: the first 128 bits of the SHA-256 of space and key. Of one length whatever the
 * key, without a caller's name in it, and not to be met by another key, not even by one made for the purpose.
 *
 * Locks are striped because PostgreSQL holds them in a table of fixed size: two partitions may share one, and then wait
 * for each other a moment longer.
 */
export function partitionId(space: string, key: string): PartitionId {
  // UTF-16, because UTF-8 writes all unpaired surrogates alike: two keys would be one.
  const digest = createHash("sha256").update(`${space.length}:${space}${key}`, "utf16le").digest("hex");
  return { id: digest.slice(0, 32), lock: Number.parseInt(digest.slice(0, 8), 16) % stripes };
}

/**
 * Names a state within its partition, as a signed number of 64 bits: the first 24 are of the SHA-256 of its unit, so that
 * the states of one unit are found by their names, the others of the SHA-256 of the group's id. No unit's are all 0: so
 * begins the name of what is held.
 */
export function stateId(unit: string, groupId: string): string {
  const first = (text: string) => createHash("sha256").update(text, "utf8").digest().readBigUInt64BE(0);
  const ofUnit = first(unit) >> 40n || 1n;
  return BigInt.asIntN(64, (ofUnit << 40n) | (first(groupId) >> 24n)).toString();
}

const unitIds = new Map<string, number>();
/** A program names few units. Should one draw them at random, they are hashed again. */
const mostUnits = 1000;

/** Names a unit among what a reservation holds: the first 52 bits of the SHA-256 of its name. */
export function unitId(unit: string): number {
  let id = unitIds.get(unit);
  if (id === undefined) {
    if (unitIds.size >= mostUnits) unitIds.clear();
    const digest = createHash("sha256").update(unit, "utf8").digest("hex");
    id = Number.parseInt(digest.slice(0, 13), 16);
    unitIds.set(unit, id);
  }
  return id;
}
