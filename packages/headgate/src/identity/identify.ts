import { HeadgateError } from "../core/errors.ts";
import { checkOptions } from "../core/options.ts";
import { show } from "../core/show.ts";
import {
  type AddressSource,
  callerAddress,
  type HeaderFields,
  type TrustProxy,
} from "../http/address/address.ts";
import { readField } from "../http/address/address-forwarding.ts";
import { checkTrust } from "../http/address/address-trust.ts";

/** Returns a verified id from a request's header fields, or `null` if they contain no valid proof. */
export type VerifiedIdentity = (headers: HeaderFields) => string | null | Promise<string | null>;

export interface IdentifyOptions {
  /** The sources of a verified id, tried in this order. The first id that one of them returns is used. */
  verified?: VerifiedIdentity | readonly VerifiedIdentity[];
  /** A header in which callers may name themselves, such as `X-User-Id`. Anybody can forge it. Default: none. */
  unverifiedHeader?: string;
  /** Which proxies are trusted to report the address: see `callerAddress`. */
  trust?: TrustProxy;
}

/** Who is calling. */
export interface Identified {
  /**
   * The partition key: `account:<id>` for a verified id, `user:<id>` for an unverified one, else `ip:<address>`. The
   * prefixes keep the three apart, so a forged id cannot spend the quota of a verified caller or of an address.
   */
  readonly key: string;
  readonly kind: "account" | "user" | "ip";
  /** The caller's address, also for verified callers: use it for a layer that counts everybody. */
  readonly ip: string;
}

/** The longest unverified id that is accepted. */
const mostCharacters = 256;

/**
 * Identifies the caller by the best proof in the request.
 *
 * ```ts
 * const whoIs = identify({ verified: bearerIdentity({ key, audience: "chat" }), unverifiedHeader: "X-User-Id" });
 * rateLimit(limiter, { caller: ({ socket, headers }) => whoIs({ peer: socket.remoteAddress, headers }) });
 * ```
 *
 * @returns a function of the socket's peer and the header fields. It rejects only if one of `verified` does.
 * @throws HeadgateError `option-invalid`
 */
export function identify(options: IdentifyOptions = {}): (source: AddressSource) => Promise<Identified> {
  checkOptions("identify", options, ["verified", "unverifiedHeader", "trust"], "option-invalid");
  const { verified = [], unverifiedHeader, trust } = options;
  const identities: readonly VerifiedIdentity[] = Array.isArray(verified) ? verified : [verified];
  const isName = typeof unverifiedHeader === "string" && /^[\w!#$%&'*+.^`|~-]+$/.test(unverifiedHeader);
  if (unverifiedHeader !== undefined && !isName) {
    throw new HeadgateError(
      "option-invalid",
      `unverifiedHeader must be the name of a header, such as "X-User-Id", got ${show(unverifiedHeader)}.`,
    );
  }
  if (trust !== undefined) checkTrust("trust of identify", trust);
  const wrong = identities.find((identity) => typeof identity !== "function");
  if (wrong !== undefined) {
    throw new HeadgateError(
      "option-invalid",
      `verified must be a function, such as bearerIdentity({ key }), or a list of them, got ${show(wrong)}.`,
    );
  }
  const header = unverifiedHeader?.toLowerCase();

  return async (source) => {
    const ip = callerAddress(source, trust);
    for (const identity of identities) {
      const id = await identity(source.headers);
      if (id !== null && id !== "") return { key: `account:${id}`, kind: "account", ip };
    }
    const said = header === undefined ? undefined : readField(source.headers, header)?.trim();
    if (said && said.length <= mostCharacters) return { key: `user:${said}`, kind: "user", ip };
    return { key: `ip:${ip}`, kind: "ip", ip };
  };
}
