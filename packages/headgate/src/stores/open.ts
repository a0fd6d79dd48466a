import { HeadgateError } from "../core/errors.ts";
import type { Store } from "../core/store.ts";
import { memoryStore } from "./memory/index.ts";
import { parsePostgresUrl } from "./postgres/address.ts";
import { parseRedisUrl } from "./redis/address.ts";
import { lazyStore } from "./shared/lazy.ts";
import { sharedStore } from "./shared/shared-store.ts";

const example =
  'write "memory://", "redis://host:6379" or "postgres://user:password@host/database", or pass a store';

/**
 * Opens the store that a URI names:
 *
 * - `memory://`, which takes `?maxPartitions=`;
 * - `redis://`, `rediss://` (TLS), `valkey://`, `valkeys://`: see `headgate/redis`;
 * - `postgres://`, `postgresql://`, and `pglite://` for the embedded database: see `headgate/postgres`.
 *
 * Nothing is connected before the first decision. Limiters that open the same URI of a server or a folder share one
 * connection, which closes when the last of them is closed.
 *
 * @throws HeadgateError `store-unknown` or `store-invalid`, naming what is expected. The message quotes only the scheme
 *   of the URI, because the rest may contain a password.
 */
export function openStore(uri: string): Store {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(uri)?.[1]?.toLowerCase();
  switch (scheme) {
    case "memory":
      return memoryStore(readMemoryOptions(uri));
    case "redis":
    case "rediss":
    case "valkey":
    case "valkeys":
      // Read the URI immediately, so that a mistake is reported when the limiter is made.
      parseRedisUrl(uri);
      return sharedStore(uri, () =>
        lazyStore("redis", async () => (await import("./redis/index.ts")).redisStore(uri)),
      );
    case "postgres":
    case "postgresql":
      parsePostgresUrl(uri);
      return sharedStore(uri, () => lazyPostgres(uri));
    case "pglite":
      // Each database in memory is separate. A folder must not be opened twice.
      return /^pglite:(\/\/)?(memory)?$/i.test(uri)
        ? lazyPostgres(uri)
        : sharedStore(uri, () => lazyPostgres(uri));
    case undefined:
      throw new HeadgateError(
        "store-unknown",
        `A store URI begins with a scheme, which is missing here: ${example}.`,
      );
    default:
      throw new HeadgateError("store-unknown", `No store is known for "${scheme}://": ${example}.`);
  }
}

function lazyPostgres(uri: string): Store {
  return lazyStore("postgres", async () => (await import("./postgres/index.ts")).postgresStore(uri));
}

function readMemoryOptions(uri: string): { maxPartitions?: number } {
  const [address = "", query = ""] = uri.split("?", 2);
  if (!/^memory:(\/\/)?$/i.test(address)) {
    throw new HeadgateError(
      "store-invalid",
      `"${address}" names a location, which memory does not have: write "memory://".`,
    );
  }
  const options: { maxPartitions?: number } = {};
  for (const [name, value] of new URLSearchParams(query)) {
    if (name !== "maxPartitions") {
      throw new HeadgateError("store-invalid", `memory:// has no option "${name}": it takes maxPartitions.`);
    }
    if (!/^\d+$/.test(value)) {
      throw new HeadgateError(
        "store-invalid",
        `maxPartitions of memory:// must be a whole number, got ${JSON.stringify(value)}.`,
      );
    }
    options.maxPartitions = Number(value);
  }
  return options;
}
