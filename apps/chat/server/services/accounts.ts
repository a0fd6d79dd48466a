import { randomBytes } from "node:crypto";
import { betterAuth } from "better-auth";
import { drizzleAdapter } from "better-auth/adapters/drizzle";
import type { Logger } from "pino";
import type { Config } from "../config/index.ts";
import type { Database } from "../database/connect.ts";
import * as schema from "../database/schema.ts";
import { findUserByEmail, updatePlan } from "../repositories/accounts.ts";
import { settingOrNew } from "../repositories/settings.ts";
import type { Mailer } from "./mail.ts";

export interface Person {
  id: string;
  email: string;
  name: string;
  emailVerified: boolean;
  /** The plan that an operator set; `null` for the default plan. */
  plan: string | null;
  /** The session of the request. */
  sessionId: string;
}

export interface Accounts {
  /**
   * Handles a request under `/auth`.
   *
   * @throws the database's error
   */
  handle(request: Request): Promise<Response>;
  /** Returns the account of a valid session cookie; `undefined` if there is none. */
  signedIn(headers: Headers): Promise<Person | undefined>;
  /** Resolves with whether this is the password of the session cookie's account. */
  isPassword(headers: Headers, password: string): Promise<boolean>;
  /** Creates a link to set a new password. Returns `undefined` for an unknown e-mail. */
  resetLink(email: string): Promise<string | undefined>;
  /**
   * Sets the plan of an account; `null` for the default plan.
   *
   * @param record records the change in the same transaction
   * @returns `false` for an unknown e-mail
   */
  setPlan(
    email: string,
    plan: string | null,
    record: (transaction: Database) => Promise<void>,
  ): Promise<boolean>;
  /** Returns the id and the plan of an account; `undefined` for an unknown e-mail. */
  find(email: string): Promise<{ id: string; plan: string | null } | undefined>;
  /** Creates an account without a password, and a link to set one. Returns `undefined` for a known e-mail. */
  invite(email: string): Promise<string | undefined>;
}

export interface AccountsOptions {
  database: Database;
  secret: string;
  publicUrl: string | null;
  /** The origin of links in e-mails. */
  linkOrigin: string;
  signUp: "open" | "closed";
  /** The mailer; `null` if the service sends no e-mails. Addresses then need no confirmation. */
  mail: Mailer | null;
  /** The log. Default: nothing is logged. */
  log?: Logger;
}

const COOKIE_PREFIX = "headgate";
const THIRTY_DAYS_SECONDS = 2_592_000;
const ONE_DAY_SECONDS = 86_400;
const ONE_HOUR_SECONDS = 3_600;
const LINK_TOKEN_BYTES = 24;

/** Creates accounts with e-mail and password, with sessions in the database and session cookies. */
export function createAccounts(options: AccountsOptions): Accounts {
  const { database, secret, publicUrl, linkOrigin, signUp, mail, log } = options;
  // The token is in the fragment, which browsers do not send, so it appears in no log or referrer.
  const resetLinkOf = (token: string) => `${linkOrigin}/reset-password#${token}`;

  const auth = betterAuth({
    appName: "Headgate",
    basePath: "/auth",
    secret,
    ...(publicUrl === null ? {} : { baseURL: publicUrl }),
    database: drizzleAdapter(database, { provider: "pg", schema, transaction: true }),
    // Only the operator sets plans.
    user: { additionalFields: { plan: { type: "string", required: false, input: false } } },
    emailAndPassword: {
      enabled: true,
      disableSignUp: signUp === "closed",
      minPasswordLength: 8,
      maxPasswordLength: 128,
      resetPasswordTokenExpiresIn: ONE_HOUR_SECONDS,
      revokeSessionsOnPasswordReset: true,
      ...(mail === null
        ? {}
        : {
            async sendResetPassword({ user, token }) {
              mail.send(user.email, {
                subject: "Choose a new password",
                text: `Somebody, probably you, asked to reset the password of your account.\n\nChoose it here within one hour:\n${resetLinkOf(token)}\n\nIf it was not you, you can ignore this e-mail. Your password stays the same.`,
              });
            },
          }),
    },
    ...(mail === null
      ? {}
      : {
          emailVerification: {
            sendOnSignUp: true,
            expiresIn: ONE_DAY_SECONDS,
            async sendVerificationEmail({ user, token }) {
              const link = `${linkOrigin}/auth/verify-email?token=${token}&callbackURL=%2F`;
              mail.send(user.email, {
                subject: "Confirm your e-mail address",
                text: `Somebody, probably you, created an account with this e-mail address.\n\nConfirm it here within one day to start the monthly allowance:\n${link}\n\nIf it was not you, there is nothing to do.`,
              });
            },
          },
        }),
    session: { expiresIn: THIRTY_DAYS_SECONDS, updateAge: ONE_DAY_SECONDS },
    // The service's own limiter counts attempts.
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
    // The service responds to internal errors and logs them itself.
    onAPIError: { throw: true },
    advanced: {
      cookiePrefix: COOKIE_PREFIX,
      useSecureCookies: publicUrl?.startsWith("https://") ?? false,
      // `sameOriginOnly` has already checked every request, with a rule that also works behind a proxy.
      disableCSRFCheck: true,
      ipAddress: { disableIpTracking: true },
    },
    logger: {
      // Log only the message, because the arguments contain personal data.
      log: (level, message) => log?.[levelOf(level, message)]({ from: "accounts" }, message),
    },
  });

  async function issueLink(userId: string): Promise<string> {
    const token = randomBytes(LINK_TOKEN_BYTES).toString("base64url");
    const { internalAdapter } = await auth.$context;
    await internalAdapter.createVerificationValue({
      identifier: `reset-password:${token}`,
      value: userId,
      expiresAt: new Date(Date.now() + ONE_HOUR_SECONDS * 1_000),
    });
    return resetLinkOf(token);
  }

  return {
    handle: (request) => auth.handler(request),

    async signedIn(headers) {
      // Most requests of the limited route have no session, so skip the database.
      if (!headers.get("cookie")?.includes(`${COOKIE_PREFIX}.session_token=`)) return undefined;
      const found = await auth.api.getSession({ headers, query: { disableRefresh: true } });
      if (!found) return undefined;
      const { id, email, name, emailVerified, plan = null } = found.user;
      return { id, email, name, emailVerified, plan, sessionId: found.session.id };
    },

    async isPassword(headers, password) {
      try {
        await auth.api.verifyPassword({ headers, body: { password } });
        return true;
      } catch (error) {
        if ((error as { status?: unknown }).status === "BAD_REQUEST") return false;
        throw error;
      }
    },

    async resetLink(email) {
      const user = await findUserByEmail(database, email);
      return user && issueLink(user.id);
    },

    async setPlan(email, plan, record) {
      const user = await findUserByEmail(database, email);
      if (user === undefined) return false;
      await database.transaction(async (transaction) => {
        await updatePlan(transaction, user.id, plan);
        await record(transaction);
      });
      return true;
    },

    find: (email) => findUserByEmail(database, email),

    async invite(email) {
      const address = email.trim().toLowerCase();
      if (await findUserByEmail(database, address)) return undefined;
      const { internalAdapter } = await auth.$context;
      // The operator gives the link to the owner, so the address needs no confirmation.
      const user = await internalAdapter.createUser(
        {
          email: address,
          name: address.split("@")[0] ?? address,
          emailVerified: true,
        },
        { method: "email-password" },
      );
      return issueLink(user.id);
    },
  };
}

/** Returns the secret that signs cookies: the operator's, or a secret that is generated once and stored. */
export async function authSecretOf(database: Database, given: string | null): Promise<string> {
  return given ?? settingOrNew(database, "auth-secret", () => randomBytes(32).toString("base64url"));
}

/** The library logs some errors that it also throws. The service logs these, with the request's id. */
function levelOf(level: string, message: string): "warn" | "debug" {
  const isThrown = message === "INTERNAL_SERVER_ERROR" || message.startsWith("Failed to query fallback join");
  return level === "error" && !isThrown ? "warn" : "debug";
}

/** Returns the origin for links: the address that browsers use, as far as the service knows it. */
export function linkOriginOf({ publicUrl, port }: Pick<Config, "publicUrl" | "port">): string {
  return publicUrl ?? `http://localhost:${port}`;
}
