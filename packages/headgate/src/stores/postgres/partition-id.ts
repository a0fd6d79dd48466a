import { HeadgateError } from "../../core/errors.ts";

/** Loaded when it is needed: an import of `node:crypto` would prevent bundling the package for the web. */
const crypto = globalThis.process?.getBuiltinModule?.("node:crypto");

/** @throws HeadgateError `store-invalid` if the runtime cannot hash synchronously: `crypto.subtle` is asynchronous. */
function createHash(name: "sha256") {
  if (crypto !== undefined) return crypto.createHash(name);
  throw new HeadgateError(
    "store-invalid",
    "A PostgreSQL store needs node:crypto, as Node 20.16, Deno 2 and Bun have it, and this runtime does not.",
  );
}

/** The number of lock stripes: the maximum number of locks, for any number of processes and callers. */
const stripes = 1024;

export interface PartitionId {
  /** 32 hexadecimal digits. */
  readonly id: string;
  /** The stripe whose lock guards the partition, from 0 up. */
  readonly lock: number;
}

/**
 * Names a partition in the database: the first 128 bits of the SHA-256 of space and key. The name has the same length for
 * every key, does not contain the caller's name, and cannot collide with another key's, not even on purpose.
 *
 * Locks are striped because PostgreSQL keeps them in a table of fixed size. Two partitions may share a lock, and then wait
 * for each other a little longer.
 */
export function partitionId(space: string, key: string): PartitionId {
  // UTF-16, because UTF-8 writes all unpaired surrogates in the same way: two keys would become one.
  const digest = createHash("sha256").update(`${space.length}:${space}${key}`, "utf16le").digest("hex");
  return { id: digest.slice(0, 32), lock: Number.parseInt(digest.slice(0, 8), 16) % stripes };
}

/**
 * Names a state within its partition, as a signed number of 64 bits. The first 24 bits are from the SHA-256 of its unit,
 * so that the states of one unit are found by their names; the others are from the SHA-256 of the group's id. The unit's
 * bits are never all 0: those names are for holds.
 */
export function stateId(unit: string, groupId: string): string {
  const first = (text: string) => createHash("sha256").update(text, "utf8").digest().readBigUInt64BE(0);
  const ofUnit = first(unit) >> 40n || 1n;
  return BigInt.asIntN(64, (ofUnit << 40n) | (first(groupId) >> 24n)).toString();
}

const unitIds = new Map<string, number>();
/** A program uses few units. If it uses very many, they are hashed again. */
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
