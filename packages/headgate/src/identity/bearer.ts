import type {
  CryptoKey,
  JSONWebKeySet,
  JWTPayload,
  JWTVerifyGetKey,
  JWTVerifyOptions,
  KeyObject,
} from "jose";
import { HeadgateError } from "../core/errors.ts";
import { checkFunctions, checkOptions } from "../core/options.ts";
import { show } from "../core/show.ts";
import { type HeaderFields, readField } from "../http/address/address-forwarding.ts";
import { guarded, reportOnConsole } from "../limiter/reporting.ts";
import type { VerifiedIdentity } from "./identify.ts";

interface Claims {
  /** The required issuer: the token's `iss`. */
  issuer?: string | string[];
  /** The required audience: the token's `aud`. Without it, a token for another service is accepted. */
  audience?: string | string[];
}

interface ByKey extends Claims {
  /** The key that verifies tokens: a public key, or a shared secret of at least 32 bytes. */
  key: CryptoKey | KeyObject | Uint8Array;
  jwks?: never;
}

interface ByKeySet extends Claims {
  /**
   * The issuer's keys, or their URL: `https://issuer.example/.well-known/jwks.json`. They are fetched when first needed
   * and cached for ten minutes. For an unknown key they are fetched again, at most every 30 s.
   */
  jwks: string | URL | JSONWebKeySet;
  issuer: string | string[];
  audience: string | string[];
  key?: never;
}

export type BearerIdentityOptions = (ByKey | ByKeySet) & {
  /** The claim that names the caller. Default `sub`. */
  claim?: string;
  /**
   * The accepted algorithms, such as `["ES256"]`. Default: the algorithms that fit the key. `none` is never accepted.
   */
  algorithms?: string[];
  /** The tolerated difference from the issuer's clock, in seconds. Default 5. */
  clockToleranceSeconds?: number;
  /** The time now, in milliseconds since 1970-01-01T00:00Z. Default: the wall clock. */
  now?: () => number;
  /**
   * Called when the issuer's keys cannot be fetched: until they can, nobody is verified. Default: logs at most one line
   * a minute to the console.
   */
  onError?: (error: unknown) => void;
};

/** The longest token that is verified. Genuine tokens are shorter. */
const mostCharacters = 8192;
const fewestSecretBytes = 32;

/**
 * Identifies the caller by a signed token (JWT, RFC 7519) in `Authorization: Bearer …`. Needs the package `jose`.
 *
 * @returns a function of a request's header fields: the verified id, or `null` for anything else, such as no token, or
 *   a token that has expired, was altered or is for another audience. It rejects only if `jose` is not installed.
 * @throws HeadgateError `option-invalid`
 */
export function bearerIdentity(options: BearerIdentityOptions): VerifiedIdentity {
  check(options);
  const { issuer, audience, algorithms, claim = "sub", clockToleranceSeconds = 5, now = Date.now } = options;
  const report = guarded(options.onError ?? reportOnConsole());
  const claims: JWTVerifyOptions = {
    clockTolerance: clockToleranceSeconds,
    ...(issuer === undefined ? {} : { issuer }),
    ...(audience === undefined ? {} : { audience }),
    ...(algorithms === undefined ? {} : { algorithms }),
  };
  let verifying: Promise<(token: string) => Promise<JWTPayload>> | undefined;

  return async (headers) => {
    const token = tokenIn(headers);
    if (token === undefined) return null;
    verifying ??= makeVerifier(options, claims, now);
    const verify = await verifying;
    try {
      const id = (await verify(token))[claim];
      return typeof id === "string" && id !== "" ? id : null;
    } catch (error) {
      // With local keys, every failure is the token's fault and is not reported.
      if (isRemote(options.jwks) && !isTokensFault(error)) report(error);
      return null;
    }
  };
}

/** The scheme is case-insensitive (RFC 9110, section 11.1). */
function tokenIn(headers: HeaderFields): string | undefined {
  const field = readField(headers, "authorization");
  if (field === undefined || field.length > mostCharacters) return undefined;
  return /^bearer +([\w-]+\.[\w-]+\.[\w-]+) *$/i.exec(field)?.[1];
}

async function makeVerifier(
  { key, jwks }: BearerIdentityOptions,
  claims: JWTVerifyOptions,
  now: () => number,
): Promise<(token: string) => Promise<JWTPayload>> {
  const { createLocalJWKSet, createRemoteJWKSet, jwtVerify } = await importJose();
  const source = isRemote(jwks)
    ? createRemoteJWKSet(new URL(jwks))
    : jwks === undefined
      ? key
      : createLocalJWKSet(jwks);
  return async (token) => {
    const { payload } = await jwtVerify(token, source as CryptoKey | JWTVerifyGetKey, {
      ...claims,
      currentDate: new Date(now()),
    });
    return payload;
  };
}

/** Bundlers treat a package as optional if its import is in a `try`. */
async function importJose(): Promise<typeof import("jose")> {
  try {
    return await import("jose");
  } catch {
    throw new HeadgateError("option-invalid", "bearerIdentity needs the package jose: npm install jose");
  }
}

function isRemote(jwks: BearerIdentityOptions["jwks"]): jwks is string | URL {
  return typeof jwks === "string" || jwks instanceof URL;
}

/** Errors that any caller can cause. They are not reported. */
const tokensFaults = /^ERR_(JWT|JWS|JOSE_ALG|JOSE_NOT_SUPPORTED|JWKS_NO_MATCHING_KEY|JWKS_MULTIPLE)/;

function isTokensFault(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return typeof code === "string" && tokensFaults.test(code);
}

const bearerOptions = [
  "key",
  "jwks",
  "issuer",
  "audience",
  "claim",
  "algorithms",
  "clockToleranceSeconds",
  "now",
  "onError",
];

function check(options: BearerIdentityOptions): void {
  checkOptions("bearerIdentity", options, bearerOptions, "option-invalid");
  checkFunctions("bearerIdentity", options, ["now", "onError"]);
  const { key, jwks, issuer, audience } = options;
  if ((key === undefined) === (jwks === undefined)) {
    fail(
      "bearerIdentity takes either key or jwks: the key that verifies tokens, or the URL of the issuer's keys.",
    );
  }
  if (key !== undefined && (typeof key !== "object" || key === null)) {
    const is = typeof key === "string" ? "text" : show(key);
    fail(
      `key must be a CryptoKey, a KeyObject, or the bytes of a secret, such as new TextEncoder().encode(secret); it is ${is}.`,
    );
  }
  if (key instanceof Uint8Array && key.byteLength < fewestSecretBytes) {
    fail(`A secret that signs tokens must have at least ${fewestSecretBytes} bytes, got ${key.byteLength}.`);
  }
  if (jwks !== undefined && (issuer === undefined || audience === undefined)) {
    fail("jwks needs issuer and audience: an issuer signs tokens for other services with the same keys.");
  }
  const isKeySet = Array.isArray((jwks as { keys?: unknown } | null | undefined)?.keys);
  if (jwks !== undefined && !isKeySet && !URL.canParse(jwks as string)) {
    fail(
      `jwks must be an address such as "https://issuer.example/.well-known/jwks.json", or a key set { keys }, got ${show(jwks)}.`,
    );
  }
}

function fail(message: string): never {
  throw new HeadgateError("option-invalid", message);
}
