import { callerAddress, type TrustProxy } from "headgate/http";
import type { Context } from "hono";
import { getSignedCookie, setSignedCookie } from "hono/cookie";
import { badRequest } from "../http/problems.ts";
import type { ServiceEnv } from "../http/service-env.ts";
import type { Accounts } from "./accounts.ts";

/**
 * Who is calling. An account is verified by its session; a header's id is only what the caller says, and lets a
 * backend in front of the service tell its own people apart; everybody else is a browser or a program without a name.
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

/** What the layers of the limits see of a caller. */
export interface RateLimitCaller {
  account?: string;
  /** The account's, where an operator gave it one. */
  plan?: string;
  userId?: string;
  /** Of the client, as far as the proxies on the way are trusted. */
  address: string;
}

export interface IdentitySources {
  accounts: Accounts;
  trustProxy: TrustProxy;
  userIdHeader: boolean;
  /** Signs the cookie that an anonymous browser's history belongs to. */
  visitorSecret: string;
  publicUrl: string | null;
}

const VISITOR_COOKIE = "headgate_visitor";
const ONE_YEAR_SECONDS = 31_536_000;
const VISITOR_ID = /^[0-9a-f-]{36}$/;

const LONGEST_USER_ID = 128;
/** Visible ASCII without the comma, by which several values of one field arrive joined. */
const USER_ID = /^[!-+\--~]+$/;

/**
 * Says who is calling: account over header over nobody. Looked up once a request, however many ask.
 *
 * @throws {HttpProblem} 400 for an `X-User-Id` that cannot be an id: to ignore it would quietly put its sender into
 *   somebody else's partition and history
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
 * Reads an `X-User-Id`: trimmed; an absent, empty or blank one is none.
 *
 * @throws {HttpProblem} 400 when it is too long, is several, or holds what is not visible ASCII
 */
export function readUserId(field: string | undefined): string | undefined {
  const id = field?.trim() ?? "";
  if (id === "") return undefined;
  if (id.length <= LONGEST_USER_ID && USER_ID.test(id)) return id;
  throw badRequest(
    `X-User-Id should be one id of at most ${LONGEST_USER_ID} visible ASCII characters, without spaces or commas.`,
  );
}

/** The caller as the limits count it. */
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

/** The client's address: the peer's, or what trusted proxies say. `unknown` where there is no socket. */
export function addressOf(c: Context<ServiceEnv>, trustProxy: TrustProxy): string {
  const peer = c.env?.incoming?.socket.remoteAddress;
  return callerAddress({ peer, headers: c.req.raw.headers }, trustProxy);
}

/** What a conversation's `owner` is for this caller; `undefined` for a browser that has made nothing yet. */
export function ownerOf(identity: Identity): string | undefined {
  if (identity.kind === "account") return accountOwner(identity.id);
  if (identity.kind === "header") return `user:${identity.id}`;
  return identity.visitor === undefined ? undefined : visitorOwner(identity.visitor);
}

export const accountOwner = (id: string) => `account:${id}`;
export const visitorOwner = (visitor: string) => `visitor:${visitor}`;

/** As `ownerOf`, but gives a browser that has no cookie yet its own, for the first thing it makes. */
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

/** The browser's own id, if its cookie is there and was signed here. */
export async function readVisitor(c: Context, secret: string): Promise<string | undefined> {
  const visitor = await getSignedCookie(c, secret, VISITOR_COOKIE);
  return typeof visitor === "string" && VISITOR_ID.test(visitor) ? visitor : undefined;
}

/** Whether cookies may be kept to TLS. A client that lies about its scheme loses only its own cookie. */
export function isHttps(c: Context, publicUrl: string | null): boolean {
  if (publicUrl !== null) return publicUrl.startsWith("https://");
  return c.req.header("X-Forwarded-Proto") === "https" || c.req.url.startsWith("https://");
}
