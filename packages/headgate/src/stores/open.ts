import { HeadgateError } from "../core/errors.ts";
import type { Store } from "../core/store.ts";
import { memoryStore } from "./memory/index.ts";

const example = 'write "memory://", or pass a store object';

/**
 * Opens the store that a URI names. `memory://` takes `?maxPartitions=`.
 *
 * @throws HeadgateError `store-unknown` or `store-invalid`, with a sentence that says what would be right. Of the URI
 *   only the scheme is ever quoted: the rest may hold a password.
 */
export function openStore(uri: string): Store {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(uri)?.[1]?.toLowerCase();
  if (scheme === undefined) {
    throw new HeadgateError(
      "store-unknown",
      `A store URI begins with a scheme, and this one has none: ${example}.`,
    );
  }
  if (scheme !== "memory") {
    throw new HeadgateError("store-unknown", `No store is known for "${scheme}://": ${example}.`);
  }
  return memoryStore(readMemoryOptions(uri));
}

function readMemoryOptions(uri: string): { maxPartitions?: number } {
  const [address = "", query = ""] = uri.split("?", 2);
  if (!/^memory:(\/\/)?$/i.test(address)) {
    throw new HeadgateError(
      "store-invalid",
      `"${address}" names a place, and memory has none: write "memory://".`,
    );
  }
  const options: { maxPartitions?: number } = {};
  for (const [name, value] of new URLSearchParams(query)) {
    if (name !== "maxPartitions") {
      throw new HeadgateError("store-invalid", `memory:// has no option "${name}": it takes maxPartitions.`);
    }
    options.maxPartitions = Number(value);
  }
  return options;
}
