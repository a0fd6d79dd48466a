import type { Limiter } from "headgate";
import { rateLimit } from "headgate/hono";
import { refusal, type TrustProxy } from "headgate/http";
import { type Context, Hono } from "hono";
import type { z } from "zod";
import { readBody } from "../http/body.ts";
import { describeError } from "../http/describe-error.ts";
import { noteRefusal } from "../http/note-refusal.ts";
import { databaseProblem, HttpProblem, notFound, problemResponse, refusalProblem } from "../http/problems.ts";
import type { ServiceEnv } from "../http/service-env.ts";
import {
  changePasswordBody,
  emptyBody,
  forgottenBody,
  resetPasswordBody,
  signInBody,
  signUpBody,
} from "../services/account-bodies.ts";
import type { Accounts } from "../services/accounts.ts";
import type { ConversationService } from "../services/conversations.ts";
import {
  accountOwner,
  addressOf,
  type IdentitySources,
  identify,
  isHttps,
  readVisitor,
  visitorOwner,
} from "../services/identity.ts";
import type { Readiness } from "../services/readiness.ts";
import { isWeakPassword } from "../services/weak-passwords.ts";

export interface AccountRouteDependencies {
  sources: IdentitySources;
  accounts: Accounts;
  conversations: ConversationService;
  signInLimiter: Limiter<{ address: string }>;
  /** Limits e-mails by recipient; `null` if the service sends no e-mails. */
  mailLimiter: Limiter<{ recipient: string }> | null;
  signUp: "open" | "closed";
  /** Operators' addresses, in lower case. Nobody can sign up with them. */
  operatorEmails: readonly string[];
  readiness: Readiness;
  trustProxy: TrustProxy;
  visitorSecret: string;
  publicUrl: string | null;
}

/**
 * Routes to sign up, sign in, sign out and change a password. Other features of better-auth are not reachable, so they
 * cannot be attacked. Attempts that test a password or a link are limited by address, e-mails also by recipient.
 */
export function accountRoutes(dependencies: AccountRouteDependencies): Hono<ServiceEnv> {
  const { sources, signInLimiter, mailLimiter, signUp, operatorEmails, trustProxy } = dependencies;
  const routes = new Hono<ServiceEnv>();
  const guard = rateLimit<{ address: string }, ServiceEnv>(signInLimiter, {
    caller: (c) => ({ address: addressOf(c, trustProxy) }),
  });

  /** Adds a route of better-auth: the schema of its body, and checks that run before an attempt is counted. */
  function offer<Shape extends z.ZodType<object>>(
    path: string,
    shape: Shape,
    check: (body: z.output<Shape>, c: Context<ServiceEnv>) => void | Promise<void> = () => {},
  ): void {
    const bodies = new WeakMap<Context, z.output<Shape>>();
    routes.post(
      path,
      async (c, next) => {
        const body = await readBody(c, shape);
        await check(body, c);
        bodies.set(c, body);
        await next();
      },
      noteRefusal,
      guard,
      (c) => answerFromAccounts(c, dependencies, bodies.get(c)),
    );
  }

  routes.get("/auth/get-session", (c) => answerFromAccounts(c, dependencies));
  routes.post("/auth/sign-out", async (c) =>
    answerFromAccounts(c, dependencies, await readBody(c, emptyBody, { absent: {} })),
  );
  offer("/auth/sign-in/email", signInBody);
  offer("/auth/sign-up/email", signUpBody, ({ email, password }) => {
    if (signUp === "closed" || operatorEmails.includes(email.trim().toLowerCase())) throw signUpClosed();
    refuseWeak(password, email);
  });
  offer("/auth/change-password", changePasswordBody, async ({ newPassword }, c) => {
    const identity = await identify(c, sources);
    refuseWeak(newPassword, identity.kind === "account" ? identity.email : undefined);
  });
  offer("/auth/reset-password", resetPasswordBody, ({ newPassword }) => refuseWeak(newPassword));

  if (mailLimiter) {
    const countMail = async ({ email }: { email: string }) => {
      const admission = await mailLimiter.admit({ recipient: email.trim().toLowerCase() });
      if (!admission.admitted) throw refusalProblem(refusal(admission));
    };
    offer("/auth/request-password-reset", forgottenBody, countMail);
    offer("/auth/send-verification-email", forgottenBody, countMail);
    routes.get("/auth/verify-email", noteRefusal, guard, (c) => answerFromAccounts(c, dependencies));
  }
  routes.all("/auth/*", () => {
    throw notFound("page");
  });
  return routes;
}

async function answerFromAccounts(
  c: Context<ServiceEnv>,
  dependencies: AccountRouteDependencies,
  body?: object,
): Promise<Response> {
  const { accounts, publicUrl } = dependencies;
  const response = await accounts.handle(requestOf(c, body));
  if (response.status >= 400) return problemOf(c, response, dependencies);
  await adoptHistory(c, response, dependencies);
  return isHttps(c, publicUrl) ? withSecureCookies(response) : response;
}

function requestOf(c: Context<ServiceEnv>, body: object | undefined): Request {
  const { method, url } = c.req.raw;
  const headers = new Headers(c.req.raw.headers);
  // The body is rewritten, so its length may change.
  headers.delete("Content-Length");
  headers.delete("Transfer-Encoding");
  if (body === undefined) return new Request(url, { method, headers });
  headers.set("Content-Type", "application/json");
  // End the other sessions, because an attacker may use them.
  const given = c.req.path === "/auth/change-password" ? { ...body, revokeOtherSessions: true } : body;
  return new Request(url, { method, headers, body: JSON.stringify(given) });
}

/** The code of better-auth for an account that could not be written, for any reason. */
const SWALLOWED_FAILURE = "FAILED_TO_CREATE_USER";

/** Returns a problem document that also has the `code` and `message` of better-auth. */
async function problemOf(
  c: Context<ServiceEnv>,
  response: Response,
  { readiness }: AccountRouteDependencies,
): Promise<Response> {
  const body = (await response.json().catch(() => ({}))) as { code?: unknown; message?: unknown };
  if (response.status >= 500 || body.code === SWALLOWED_FAILURE) {
    const state = await readiness.database();
    const database = state === "ok" && readiness.isBusy() ? "busy" : state;
    if (database !== "ok") {
      c.get("log").error({ error: { database } }, "the database failed");
      return problemResponse(c, databaseProblem(database));
    }
  }
  if (response.status >= 500)
    c.get("log").error({ from: "accounts", status: response.status }, "accounts failed");
  const isTold = response.status < 500 && typeof body.message === "string" && body.message !== "";
  const detail = isTold ? String(body.message) : "Accounts are not available right now. Please try again.";
  return problemResponse(
    c,
    accountProblem(response.status, typeof body.code === "string" ? body.code : "ACCOUNTS_FAILED", detail),
  );
}

function accountProblem(status: number, code: string, detail: string): HttpProblem {
  return new HttpProblem(status, code.toLowerCase(), detail, { members: { code, message: detail } });
}

function refuseWeak(password: string, email?: string): void {
  if (!isWeakPassword(password, email)) return;
  throw accountProblem(
    400,
    "PASSWORD_TOO_COMMON",
    "This password is too common. Please choose another, such as four unrelated words.",
  );
}

function signUpClosed(): HttpProblem {
  return accountProblem(403, "SIGN_UP_CLOSED", "Only the operator of this service can create this account.");
}

/** Moves the history that a browser's visitor has written before signing in to the account. */
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
    // The user is signed in all the same. The history stays with the browser's cookie, and moves at the next sign-in.
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
