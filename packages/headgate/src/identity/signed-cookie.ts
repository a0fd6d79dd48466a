import { HeadgateError } from "../core/errors.ts";
import { checkOptions } from "../core/options.ts";
import { show } from "../core/show.ts";
import { type HeaderFields, readField } from "../http/address/address-forwarding.ts";
import type { VerifiedIdentity } from "./identify.ts";

export interface SignedCookieOptions {
  /** The cookie's name. */
  name: string;
  /**
   * The secret that signs cookies, at least 16 characters. Do not use it for anything else: a signature does not name
   * its cookie. If you give several secrets, each can verify. To rotate, put the new secret before the old one.
   */
  secret: string | readonly string[];
}

const fewestCharacters = 16;
/** The longest cookie that is verified. Genuine cookies are shorter. */
const mostCharacters = 4096;
const algorithm = { name: "HMAC", hash: "SHA-256" } as const;

/**
 * Identifies the caller by a cookie with an id and its signature (HMAC with SHA-256), in the format of Express's
 * `cookie-parser`, `@fastify/cookie`, Hono's `setSignedCookie` and {@link signCookie}. Signatures are compared in
 * constant time.
 *
 * @returns a function of a request's header fields: the verified id, or `null` if there is none.
 * @throws HeadgateError `option-invalid`
 */
export function signedCookieIdentity(options: SignedCookieOptions): VerifiedIdentity {
  checkOptions("signedCookieIdentity", options, ["name", "secret"], "option-invalid");
  const { name, secret } = options;
  if (typeof name !== "string" || !/^[\w!#$%&'*+.^`|~-]+$/.test(name)) {
    throw new HeadgateError(
      "option-invalid",
      `A cookie's name must be such as "session", got ${show(name)}.`,
    );
  }
  const keys = secretsIn(secret).map(importKey);
  if (keys.length === 0)
    throw new HeadgateError("option-invalid", "secret must contain at least one secret, got none.");

  return async (headers) => {
    const cookie = cookieIn(headers, name);
    const dot = cookie?.lastIndexOf(".") ?? -1;
    if (cookie === undefined || dot < 1) return null;
    const id = cookie.slice(0, dot);
    const signature = bytesOf(cookie.slice(dot + 1));
    if (signature === undefined) return null;
    for (const key of keys) {
      if (await crypto.subtle.verify(algorithm, await key, signature, encode(id))) return id;
    }
    return null;
  };
}

/**
 * Makes the value of a cookie for {@link signedCookieIdentity}. Set the cookie with `HttpOnly`, `Secure` and
 * `SameSite`.
 *
 * @param id the caller's id; not empty
 * @param secret as in `signedCookieIdentity`. If there are several, the first signs
 * @throws HeadgateError `option-invalid`
 */
export async function signCookie(id: string, secret: SignedCookieOptions["secret"]): Promise<string> {
  const [first = ""] = secretsIn(secret);
  if (id === "")
    throw new HeadgateError("option-invalid", 'The id of a signed cookie must not be empty, got "".');
  const signature = new Uint8Array(await crypto.subtle.sign(algorithm, await importKey(first), encode(id)));
  return encodeURIComponent(`${id}.${btoa(String.fromCharCode(...signature))}`);
}

/** @throws HeadgateError `option-invalid` for any other value. */
function secretsIn(secret: SignedCookieOptions["secret"]): readonly string[] {
  if (typeof secret === "string") return [secret];
  if (Array.isArray(secret)) return secret;
  throw new HeadgateError("option-invalid", `secret must be text, or a list of texts, got ${show(secret)}.`);
}

function importKey(secret: string): Promise<CryptoKey> {
  if (typeof secret !== "string" || secret.length < fewestCharacters) {
    throw new HeadgateError(
      "option-invalid",
      `A secret that signs cookies must have at least ${fewestCharacters} characters, got ${secret?.length ?? 0}.`,
    );
  }
  return crypto.subtle.importKey("raw", encode(secret), algorithm, false, ["sign", "verify"]);
}

/** The first cookie with that name, decoded, without the `s:` prefix that Express adds to signed cookies. */
function cookieIn(headers: HeaderFields, name: string): string | undefined {
  for (const pair of (readField(headers, "cookie") ?? "").split(";")) {
    const equals = pair.indexOf("=");
    if (equals < 0 || pair.slice(0, equals).trim() !== name) continue;
    const value = pair.slice(equals + 1).trim();
    if (value.length > mostCharacters) return undefined;
    try {
      return decodeURIComponent(value).replace(/^s:/, "");
    } catch {
      return undefined;
    }
  }
  return undefined;
}

/** Decodes a signature in Base64, with or without padding: 32 bytes are 43 characters. */
function bytesOf(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (!/^[A-Za-z0-9+/]{43}=?$/.test(text)) return undefined;
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

function encode(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}
