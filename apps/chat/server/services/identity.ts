import { callerAddress, type TrustProxy } from "headgate/http";
import type { Context } from "hono";
import { getSignedCookie, setSignedCookie } from "hono/cookie";
import { badRequest } from "../http/problems.ts";
import type { ServiceEnv } from "../http/service-env.ts";
import type { Accounts } from "./accounts.ts";

/**
 * The identity of a caller. An account is verified by its session. The id in a header is not verified: with it, a
 * backend in front of the service can distinguish its users. All others are anonymous browsers or programs.
 */
export type Identity =
  | {
      kind: "account";
      id: string;
      email: string;
      name: string;
      emailVerified: boolean;
      plan: string | null;
      sessionId: string;
    }
  | { kind: "header"; id: string }
  | { kind: "anonymous"; visitor: string | undefined };

/** A caller for the layers of the limits. */
export interface RateLimitCaller {
  account?: string;
  /** The account's plan, if an operator set one. */
  plan?: string;
  userId?: string;
  /** The client's address, as reported by trusted proxies. */
  address: string;
}

export interface IdentitySources {
  accounts: Accounts;
  trustProxy: TrustProxy;
  userIdHeader: boolean;
  /** Signs the cookie that identifies an anonymous browser's history. */
  visitorSecret: string;
  publicUrl: string | null;
}

const VISITOR_COOKIE = "headgate_visitor";
const ONE_YEAR_SECONDS = 31_536_000;
const VISITOR_ID = /^[0-9a-f-]{36}$/;

const LONGEST_USER_ID = 128;
/** Visible ASCII without the comma, which joins several values of a field. */
const USER_ID = /^[!-+\--~]+$/;

/**
 * Identifies the caller by account, otherwise by header, otherwise as anonymous. The result is kept for the request.
 *
 * @throws {HttpProblem} 400 for an invalid `X-User-Id`: ignoring it would silently give its sender another partition
 * and history
 */
export function identify(c: Context<ServiceEnv>, sources: IdentitySources): Promise<Identity> {
  const known = c.get("identity");
  if (known) return known;
  const identity = lookUp(c, sources);
  c.set("identity", identity);
  return identity;
}

async function lookUp(c: Context<ServiceEnv>, sources: IdentitySources): Promise<Identity> {
  const person = await sources.accounts.signedIn(c.req.raw.headers);
  if (person) return { kind: "account", ...person };
  const userId = sources.userIdHeader ? readUserId(c.req.header("X-User-Id")) : undefined;
  if (userId !== undefined) return { kind: "header", id: userId };
  return { kind: "anonymous", visitor: await readVisitor(c, sources.visitorSecret) };
}

/**
 * Reads an `X-User-Id` and trims it. An empty or blank value counts as absent.
 *
 * @throws {HttpProblem} 400 if it is too long, has several values, or contains anything but visible ASCII
 */
export function readUserId(field: string | undefined): string | undefined {
  const id = field?.trim() ?? "";
  if (id === "") return undefined;
  if (id.length <= LONGEST_USER_ID && USER_ID.test(id)) return id;
  throw badRequest(
    `X-User-Id should be one id of at most ${LONGEST_USER_ID} visible ASCII characters, without spaces or commas.`,
  );
}

/** Returns the caller for the limits. */
export async function rateLimitCaller(
  c: Context<ServiceEnv>,
  sources: IdentitySources,
): Promise<RateLimitCaller> {
  const identity = await identify(c, sources);
  const address = addressOf(c, sources.trustProxy);
  if (identity.kind === "account") {
    const { id: account, plan } = identity;
    return { account, address, ...(plan === null ? {} : { plan }) };
  }
  if (identity.kind === "header") return { userId: identity.id, address };
  return { address };
}

/**
 * Returns the client's address: the peer's address, or the address that trusted proxies report; `unknown` without a
 * socket.
 */
export function addressOf(c: Context<ServiceEnv>, trustProxy: TrustProxy): string {
  const peer = c.env?.incoming?.socket.remoteAddress;
  return callerAddress({ peer, headers: c.req.raw.headers }, trustProxy);
}

/** Returns the caller's `owner` of conversations; `undefined` for a browser without a cookie. */
export function ownerOf(identity: Identity): string | undefined {
  if (identity.kind === "account") return accountOwner(identity.id);
  if (identity.kind === "header") return `user:${identity.id}`;
  return identity.visitor === undefined ? undefined : visitorOwner(identity.visitor);
}

export const accountOwner = (id: string) => `account:${id}`;
export const visitorOwner = (visitor: string) => `visitor:${visitor}`;

/** Like `ownerOf`, but sets a cookie for a browser that has none, for its first conversation. */
export async function ownerToBe(c: Context<ServiceEnv>, sources: IdentitySources): Promise<string> {
  const owner = ownerOf(await identify(c, sources));
  if (owner !== undefined) return owner;
  const visitor = crypto.randomUUID();
  c.set("identity", Promise.resolve({ kind: "anonymous", visitor }));
  await setSignedCookie(c, VISITOR_COOKIE, visitor, sources.visitorSecret, {
    path: "/",
    httpOnly: true,
    sameSite: "Lax",
    secure: isHttps(c, sources.publicUrl),
    maxAge: ONE_YEAR_SECONDS,
  });
  return visitorOwner(visitor);
}

/** Returns the browser's id, if its cookie has a valid signature. */
export async function readVisitor(c: Context, secret: string): Promise<string | undefined> {
  const visitor = await getSignedCookie(c, secret, VISITOR_COOKIE);
  return typeof visitor === "string" && VISITOR_ID.test(visitor) ? visitor : undefined;
}

/** Whether cookies can be `Secure`. A client that lies about its scheme only loses its own cookie. */
export function isHttps(c: Context, publicUrl: string | null): boolean {
  if (publicUrl !== null) return publicUrl.startsWith("https://");
  return c.req.header("X-Forwarded-Proto") === "https" || c.req.url.startsWith("https://");
}
