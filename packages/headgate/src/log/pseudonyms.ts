import { createHmac } from "node:crypto";
import { isSharedKey } from "../core/shared-keys.ts";

/** Gives keys of callers names that nobody can turn back without the secret. */
export interface Pseudonyms {
  of(key: string): string;
  /** Tells secrets apart. */
  readonly segment: string;
}

/** How many are remembered: callers come again and again. */
const mostKept = 10_000;
/** 96 bits: a billion callers do not meet. */
const characters = 16;

export function createPseudonyms(secret: string | Uint8Array): Pseudonyms {
  const kept = new Map<string, string>();
  // UTF-16, because UTF-8 writes all unpaired surrogates alike: two callers would be one.
  const hmac = (text: string) => createHmac("sha256", secret).update(text, "utf16le").digest("base64url");
  return {
    segment: hmac("\u0000segment").slice(0, 8),
    of(key) {
      if (isSharedKey(key)) return key.slice(1);
      const known = kept.get(key);
      if (known !== undefined) return known;
      const made = hmac(key).slice(0, characters);
      if (kept.size >= mostKept) kept.delete(kept.keys().next().value as string);
      kept.set(key, made);
      return made;
    },
  };
}
