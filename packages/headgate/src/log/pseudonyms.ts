import { createHmac, createSecretKey } from "node:crypto";
import { OrderedMap } from "../core/ordered-map.ts";
import { isSharedKey } from "../core/shared-keys.ts";

/** Replaces callers' keys with pseudonyms that cannot be reversed without the secret. */
export interface Pseudonyms {
  of(key: string): string;
  /** Identifies the secret. */
  readonly segment: string;
}

/** The size of the cache. */
const mostKept = 10_000;
/** A pseudonym has 96 bits: enough for a billion callers without a collision. */
const characters = 16;

export function createPseudonyms(secret: string | Uint8Array): Pseudonyms {
  const kept = new OrderedMap<string>();
  // Make the key once. From bytes, Node would make a key for each call, which takes longer than the hash.
  const secretKey = createSecretKey(typeof secret === "string" ? Buffer.from(secret) : secret);
  // Hash UTF-16, because UTF-8 encodes all unpaired surrogates the same, so two callers would share a pseudonym.
  const hmac = (text: string) => createHmac("sha256", secretKey).update(text, "utf16le").digest("base64url");
  return {
    segment: hmac("\u0000segment").slice(0, 8),
    of(key) {
      if (isSharedKey(key)) return key.slice(1);
      const known = kept.get(key);
      if (known !== undefined) return known;
      const made = hmac(key).slice(0, characters);
      if (kept.size >= mostKept) kept.delete(kept.oldest() as string);
      kept.setNewest(key, made);
      return made;
    },
  };
}
