import { HeadgateError } from "../core/errors.ts";
import { show } from "../core/show.ts";

/** The headers of a signed message, as Standard Webhooks defines them. */
export interface SignedHeaders {
  readonly "webhook-id": string;
  readonly "webhook-timestamp": string;
  readonly "webhook-signature": string;
}

export interface Signer {
  /** @param at seconds since 1970. */
  sign(id: string, at: number, body: string): Promise<SignedHeaders>;
}

const prefix = "whsec_";
const leastBytes = 24;
const mostBytes = 64;

/**
 * Signs messages according to Standard Webhooks (https://www.standardwebhooks.com): HMAC-SHA256 over id, time and body.
 * Libraries in many languages verify such signatures.
 *
 * @throws HeadgateError `option-invalid`, without quoting the secret
 */
export function createSigner(secret: unknown): Signer {
  const bytes = read(secret);
  let key: ReturnType<typeof crypto.subtle.importKey> | undefined;
  return {
    async sign(id, at, body) {
      key ??= crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
      const content = new TextEncoder().encode(`${id}.${at}.${body}`);
      const signature = new Uint8Array(await crypto.subtle.sign("HMAC", await key, content));
      return {
        "webhook-id": id,
        "webhook-timestamp": String(at),
        "webhook-signature": `v1,${btoa(String.fromCharCode(...signature))}`,
      };
    },
  };
}

function read(secret: unknown): Uint8Array<ArrayBuffer> {
  if (typeof secret !== "string" || !secret.startsWith(prefix)) {
    const what = typeof secret === "string" ? "a text without it" : show(secret);
    throw new HeadgateError(
      "option-invalid",
      `secret must be "${prefix}" and then the base64 of 24 to 64 random bytes; it is ${what}. Make one with: ` +
        `echo "${prefix}$(openssl rand -base64 32)"`,
    );
  }
  const bytes = decode(secret.slice(prefix.length));
  if (bytes === undefined || bytes.length < leastBytes || bytes.length > mostBytes) {
    throw new HeadgateError(
      "option-invalid",
      `secret must have the base64 of 24 to 64 random bytes after "${prefix}", got ${
        bytes === undefined ? "something that is not base64" : `${bytes.length} bytes`
      }.`,
    );
  }
  return bytes;
}

function decode(base64: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}
