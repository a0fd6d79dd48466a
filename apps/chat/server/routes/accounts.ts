import type { Limiter } from "headgate";
import { rateLimit } from "headgate/hono";
import type { TrustProxy } from "headgate/http";
import { type Context, Hono } from "hono";
import { readText } from "../http/body.ts";
import { describeError } from "../http/describe-error.ts";
import { noteRefusal } from "../http/note-refusal.ts";
import { badRequest, HttpProblem, notFound, problemResponse } from "../http/problems.ts";
import type { ServiceEnv } from "../http/service-env.ts";
import type { Accounts } from "../services/accounts.ts";
import type { ConversationService } from "../services/conversations.ts";
import { accountOwner, addressOf, isHttps, readVisitor, visitorOwner } from "../services/identity.ts";

/** The parts of the accounts' library that the service offers. What it does not offer cannot be attacked. */
const GUARDED = ["/auth/sign-in/email", "/auth/sign-up/email", "/auth/change-password"];
const READ = ["/auth/get-session"];
const WRITTEN = ["/auth/sign-out"];

export interface AccountRouteDependencies {
  accounts: Accounts;
  conversations: ConversationService;
  signInLimiter: Limiter<{ address: string }>;
  trustProxy: TrustProxy;
  visitorSecret: string;
  publicUrl: string | null;
}

/** Accounts: sign up, sign in, sign out. Attempts that test a password are limited by address. */
export function accountRoutes(dependencies: AccountRouteDependencies): Hono<ServiceEnv> {
  const { signInLimiter, trustProxy } = dependencies;
  const routes = new Hono<ServiceEnv>();
  const guard = rateLimit<{ address: string }, ServiceEnv>(signInLimiter, {
    caller: (c) => ({ address: addressOf(c, trustProxy) }),
  });
  const answer = (c: Context<ServiceEnv>) => answerFromAccounts(c, dependencies);

  for (const path of READ) routes.get(path, answer);
  for (const path of WRITTEN) routes.post(path, answer);
  for (const path of GUARDED) routes.post(path, noteRefusal, guard, answer);
  routes.all("/auth/*", () => {
    throw notFound("page");
  });
  return routes;
}

async function answerFromAccounts(c: Context<ServiceEnv>, dependencies: AccountRouteDependencies) {
  const { accounts, publicUrl } = dependencies;
  const response = await accounts.handle(await checkedRequest(c));
  if (!response.ok) return problemOf(c, response);
  await adoptHistory(c, response, dependencies);
  return isHttps(c, publicUrl) ? withSecureCookies(response) : response;
}

/** A NUL, which JSON can carry and PostgreSQL cannot store, would come out as an error of the server's. */
async function checkedRequest(c: Context<ServiceEnv>): Promise<Request> {
  const { method, url, headers } = c.req.raw;
  if (method === "GET") return new Request(url, { method, headers });
  const body = await readText(c);
  if (body.includes("\\u0000")) throw badRequest("The body holds a NUL character, which cannot be stored.");
  return new Request(url, { method, headers, body });
}

/** Both shapes in one: the service's own problem, and the `code` and `message` that better-auth's client reads. */
async function problemOf(c: Context<ServiceEnv>, response: Response): Promise<Response> {
  const body = (await response.json().catch(() => ({}))) as { code?: unknown; message?: unknown };
  if (response.status >= 500)
    c.get("log").error({ from: "accounts", status: response.status }, "accounts failed");
  const isTold = response.status < 500 && typeof body.message === "string" && body.message !== "";
  const detail = isTold ? String(body.message) : "Accounts cannot be reached just now. Please try again.";
  const code = typeof body.code === "string" ? body.code : "ACCOUNTS_FAILED";
  const problem = new HttpProblem(response.status, code.toLowerCase(), detail, {
    members: { code, message: detail },
  });
  return problemResponse(c, problem);
}

/** What a browser's visitor wrote before signing in comes along to the account. */
async function adoptHistory(
  c: Context<ServiceEnv>,
  response: Response,
  { conversations, visitorSecret }: AccountRouteDependencies,
): Promise<void> {
  if (!/\/sign-(in|up)\/email$/.test(c.req.path)) return;
  const visitor = await readVisitor(c, visitorSecret);
  if (visitor === undefined) return;
  try {
    const { token, user } = (await response.clone().json()) as { token?: unknown; user?: { id?: unknown } };
    if (typeof token !== "string" || typeof user?.id !== "string") return;
    await conversations.adopt(visitorOwner(visitor), accountOwner(user.id));
  } catch (error) {
    // Signed in is signed in. The history stays with the browser's cookie, and comes along the next time.
    c.get("log").error({ error: describeError(error) }, "a visitor's history was not adopted");
  }
}

function withSecureCookies(response: Response): Response {
  const headers = new Headers(response.headers);
  headers.delete("Set-Cookie");
  for (const cookie of response.headers.getSetCookie()) {
    headers.append("Set-Cookie", /;\s*secure/i.test(cookie) ? cookie : `${cookie}; Secure`);
  }
  return new Response(response.body, { status: response.status, headers });
}
