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
  /** What an operator gave; `null`: the default plan. */
  plan: string | null;
  /** The session by which they are signed in. */
  sessionId: string;
}

export interface Accounts {
  /**
   * Answers a request under `/auth`.
   *
   * @throws what the database throws
   */
  handle(request: Request): Promise<Response>;
  /** Whose session the cookies hold: verified, unexpired, not signed out. `undefined` for nobody's. */
  signedIn(headers: Headers): Promise<Person | undefined>;
  /** Whether this is the password of the account whose session the cookies hold. */
  isPassword(headers: Headers, password: string): Promise<boolean>;
  /** Makes a link by which an account's owner chooses another password. @returns `undefined` for an unknown e-mail */
  resetLink(email: string): Promise<string | undefined>;
  /**
   * Gives an account a plan, or with `null` the default one.
   *
   * @returns `false` for an unknown e-mail
   */
  setPlan(email: string, plan: string | null): Promise<boolean>;
  /** The plan and the id of an account. @returns `undefined` for an unknown e-mail */
  find(email: string): Promise<{ id: string; plan: string | null } | undefined>;
  /** Makes an account without a password, and the link to choose one. @returns `undefined` for a known e-mail */
  invite(email: string): Promise<string | undefined>;
}

export interface AccountsOptions {
  database: Database;
  secret: string;
  publicUrl: string | null;
  /** What the links for an account's owner begin with. */
  linkOrigin: string;
  signUp: "open" | "closed";
  /** `null` where the service sends no mail: then nothing has to be confirmed. */
  mail: Mailer | null;
  /** Default: nobody is listened to. */
  log?: Logger;
}

const COOKIE_PREFIX = "headgate";
const THIRTY_DAYS_SECONDS = 2_592_000;
const ONE_DAY_SECONDS = 86_400;
const ONE_HOUR_SECONDS = 3_600;
const LINK_TOKEN_BYTES = 24;

/** Accounts by e-mail and password, with sessions in the database and their ids in a cookie. */
export function createAccounts(options: AccountsOptions): Accounts {
  const { database, secret, publicUrl, linkOrigin, signUp, mail, log } = options;
  // In the fragment, which browsers send to nobody: the token is in no log and no referrer.
  const resetLinkOf = (token: string) => `${linkOrigin}/reset-password#${token}`;

  const auth = betterAuth({
    appName: "Headgate",
    basePath: "/auth",
    secret,
    ...(publicUrl === null ? {} : { baseURL: publicUrl }),
    database: drizzleAdapter(database, { provider: "pg", schema, transaction: true }),
    // The operator's to give: nobody chooses their own.
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
                text: `Somebody, probably you, asked for a new password of your account.\n\nChoose it here within one hour:\n${resetLinkOf(token)}\n\nIf it was not you, there is nothing to do: your password stays as it is.`,
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
                text: `Somebody, probably you, made an account with this e-mail address.\n\nConfirm it here within one day, and the monthly allowance begins:\n${link}\n\nIf it was not you, there is nothing to do.`,
              });
            },
          },
        }),
    session: { expiresIn: THIRTY_DAYS_SECONDS, updateAge: ONE_DAY_SECONDS },
    // The service's own guard counts attempts, exactly and with an honest wait.
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
    // What is not the client's mistake is the service's to answer and to log.
    onAPIError: { throw: true },
    advanced: {
      cookiePrefix: COOKIE_PREFIX,
      useSecureCookies: publicUrl?.startsWith("https://") ?? false,
      // `sameOriginOnly` has checked every request already, by a rule that also holds behind a proxy.
      disableCSRFCheck: true,
      ipAddress: { disableIpTracking: true },
    },
    logger: {
      // The arguments name people; the message alone is logged.
      log: (level, message) => log?.[level === "error" ? "warn" : "debug"]({ from: "accounts" }, message),
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
      // Most requests of the limited route come without a session: they cost no look at the database.
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

    async setPlan(email, plan) {
      const user = await findUserByEmail(database, email);
      if (user) await updatePlan(database, user.id, plan);
      return user !== undefined;
    },

    find: (email) => findUserByEmail(database, email),

    async invite(email) {
      const address = email.trim().toLowerCase();
      if (await findUserByEmail(database, address)) return undefined;
      const { internalAdapter } = await auth.$context;
      // The person who gets the link from the operator has the account: there is nothing to confirm.
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

/** What signs cookies: the operator's own, or one that is made once and kept. */
export async function authSecretOf(database: Database, given: string | null): Promise<string> {
  return given ?? settingOrNew(database, "auth-secret", () => randomBytes(32).toString("base64url"));
}

/** What links begin with: the address that browsers use, as far as the service knows it. */
export function linkOriginOf({ publicUrl, port }: Pick<Config, "publicUrl" | "port">): string {
  return publicUrl ?? `http://localhost:${port}`;
}
