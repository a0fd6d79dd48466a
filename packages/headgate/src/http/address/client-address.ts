import { describe } from "../../core/describe.ts";
import { HeadgateError } from "../../core/errors.ts";
import { checkOptions } from "../../core/options.ts";
import { type AddressSource, checkPeer, knownAddress } from "./address.ts";
import { isTrustProxy, parseTrustProxy, type TrustProxy } from "./address-trust.ts";

/** How `clientAddress` finds the address. */
export interface ClientAddressOptions<Given extends readonly unknown[]> {
  /**
   * Which proxies are trusted to report the address: a setting of `parseTrustProxy`, such as `"cloudflare"`,
   * `"10.0.0.0/8"` or a hop count, or its result. Default: proxies in loopback, link-local and private networks.
   */
  trust?: string | number | TrustProxy;
  /**
   * Reads the peer's address if the adapter cannot, for example from a runtime's API or a load balancer's PROXY
   * protocol. Returns `null` if the runtime has no sockets, `undefined` if the address is not known. Default: the
   * adapter reads it.
   */
  peer?: (...given: Given) => string | null | undefined;
}

/** Reads the client's address from a framework's request. */
export interface ClientAddress<Given extends readonly unknown[]> {
  /**
   * @returns the key of the address, as `callerAddress` returns it: `203.0.113.7`, `2001:db8:1:2::/64`
   * @throws HeadgateError `address-unknown` if there is no address. If this happens in `caller`, the error is reported
   *   once and the request is counted as unidentified, so that clients never silently share one address.
   */
  (...given: Given): string;
  /**
   * The same, with settings.
   *
   * @throws HeadgateError `trust-proxy-unreadable`; `option-invalid` for a setting that can never find an address here
   */
  with(options: ClientAddressOptions<Given>): (...given: Given) => string;
}

/**
 * Set on a function that can never find an address: a message with the reason and the remedy. Checked when a guard is
 * mounted.
 */
export const addressless: unique symbol = Symbol.for("headgate.addressless") as never;

/** What an adapter provides. */
export interface ClientAddressSource<Given extends readonly unknown[]> {
  /** The name after `headgate/`. */
  readonly adapter: string;
  readonly read: (...given: Given) => AddressSource;
  /** Set if the framework never knows the peer: a setting that works, for the message. */
  readonly neverPeer?: string;
}

/** Makes an adapter's `clientAddress`. */
export function createClientAddress<Given extends readonly unknown[]>(
  source: ClientAddressSource<Given>,
): ClientAddress<Given> {
  const usual = addressBy(source, undefined, undefined);
  const withOptions: ClientAddress<Given>["with"] = (options) => {
    const { trust, peer } = checked(options);
    const trusted = readTrust(trust);
    if (peer === undefined && source.neverPeer !== undefined && !believesWithoutPeer(trusted)) {
      throw new HeadgateError("option-invalid", neverFound(source, trusted));
    }
    return addressBy(source, trusted, peer);
  };
  if (source.neverPeer !== undefined) Object.assign(usual, { [addressless]: neverFound(source, undefined) });
  return Object.assign(usual, { with: withOptions });
}

function addressBy<Given extends readonly unknown[]>(
  source: ClientAddressSource<Given>,
  trust: TrustProxy | undefined,
  peer: ClientAddressOptions<Given>["peer"],
): (...given: Given) => string {
  return (...given) => {
    const read = readSource(source, given);
    const from = peer === undefined ? read : { peer: peer(...given), headers: read.headers };
    checkPeer("The address that peer of clientAddress.with returns", from.peer);
    const address = knownAddress(from, trust);
    if (address !== undefined) return address;
    throw new HeadgateError(
      "address-unknown",
      from.peer === null
        ? neverFound(source, trust)
        : "The client's address is not known: its connection has closed, or the server reports none.",
    );
  };
}

/** @throws HeadgateError `option-invalid` for an argument that is not a request, such as the settings of `with` */
function readSource<Given extends readonly unknown[]>(
  { adapter, read }: ClientAddressSource<Given>,
  given: Given,
): AddressSource {
  let cause: unknown;
  try {
    const found = read(...given);
    if (typeof found.headers === "object" && found.headers !== null) return found;
  } catch (error) {
    cause = error;
  }
  // The framework's own functions may throw too, such as SvelteKit's while it prerenders a page.
  if (given[0] instanceof Request)
    throw new HeadgateError("address-unknown", "The client's address cannot be read: see cause.", { cause });
  throw new HeadgateError(
    "option-invalid",
    `clientAddress of headgate/${adapter} takes the request of its framework, got ${describe(given[0])}. ` +
      "Settings go into clientAddress.with({ trust }).",
    { cause },
  );
}

function neverFound(
  { adapter, neverPeer }: Pick<ClientAddressSource<never>, "adapter" | "neverPeer">,
  trust: TrustProxy | undefined,
): string {
  const setting = neverPeer ?? "cloudflare-workers";
  const trusted = trust === undefined ? "" : `, and "${trust.text}" trusts no header without a peer`;
  return (
    `clientAddress of headgate/${adapter} knows no peer here${trusted}: name the platform in front, as in ` +
    `clientAddress.with({ trust: "${setting}" }), or the number of your proxies, as in clientAddress.with({ trust: 1 }); ` +
    "or read the peer: clientAddress.with({ peer: (request) => … })."
  );
}

function believesWithoutPeer(trust: TrustProxy | undefined): boolean {
  return trust !== undefined && (trust.trusts(null, 0) || trust.field?.isFrom(null) === true);
}

function readTrust(trust: string | number | TrustProxy | undefined): TrustProxy | undefined {
  if (trust === undefined || isTrustProxy(trust)) return trust;
  if (typeof trust === "string" || typeof trust === "number") return parseTrustProxy(String(trust));
  throw new HeadgateError(
    "option-invalid",
    `trust of clientAddress.with must be text such as "10.0.0.0/8", a hop count, or the result of parseTrustProxy, got ${describe(trust)}.`,
  );
}

function checked<Given extends readonly unknown[]>(
  options: ClientAddressOptions<Given>,
): ClientAddressOptions<Given> {
  const given: unknown = options;
  if (typeof given !== "object" || given === null) {
    throw new HeadgateError(
      "option-invalid",
      `clientAddress.with takes an object such as { trust: "cloudflare" }, got ${describe(given)}.`,
    );
  }
  checkOptions("clientAddress.with", given, ["trust", "peer"], "option-invalid");
  const { peer } = options;
  if (peer === undefined || typeof peer === "function") return options;
  throw new HeadgateError(
    "option-invalid",
    `peer of clientAddress.with must be a function of the request, got ${describe(peer)}.`,
  );
}
