import { betterAuth } from "better-auth";
import { drizzleAdapter } from "better-auth/adapters/drizzle";
import type { Logger } from "pino";
import type { Database } from "../database/connect.ts";
import * as schema from "../database/schema.ts";

export interface Person {
  id: string;
  email: string;
  name: string;
}

export interface Accounts {
  /** Answers a request under `/auth`. */
  handle(request: Request): Promise<Response>;
  /** Whose session the cookies hold: verified, unexpired, not signed out. `undefined` for nobody's. */
  signedIn(headers: Headers): Promise<Person | undefined>;
}

const COOKIE_PREFIX = "headgate";
const THIRTY_DAYS_SECONDS = 2_592_000;
const ONE_DAY_SECONDS = 86_400;

/** Accounts by e-mail and password, with sessions in the database and their ids in a cookie. */
export function createAccounts(options: {
  database: Database;
  secret: string;
  publicUrl: string | null;
  log: Logger;
}): Accounts {
  const { database, secret, publicUrl, log } = options;
  const auth = betterAuth({
    appName: "Headgate",
    basePath: "/auth",
    secret,
    ...(publicUrl === null ? {} : { baseURL: publicUrl }),
    database: drizzleAdapter(database, { provider: "pg", schema, transaction: true }),
    emailAndPassword: { enabled: true, minPasswordLength: 8, maxPasswordLength: 128 },
    session: { expiresIn: THIRTY_DAYS_SECONDS, updateAge: ONE_DAY_SECONDS },
    // The service's own guard counts attempts, exactly and with an honest wait.
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
    advanced: {
      cookiePrefix: COOKIE_PREFIX,
      useSecureCookies: publicUrl?.startsWith("https://") ?? false,
      // `sameOriginOnly` has checked every request already, by a rule that also holds behind a proxy.
      disableCSRFCheck: true,
      ipAddress: { disableIpTracking: true },
    },
    logger: {
      // The arguments name people; the message alone is logged.
      log: (level, message) => log[level === "error" ? "warn" : "debug"]({ from: "accounts" }, message),
    },
  });

  return {
    handle: (request) => auth.handler(request),
    async signedIn(headers) {
      // Most requests of the limited route come without a session: they cost no look at the database.
      if (!headers.get("cookie")?.includes(`${COOKIE_PREFIX}.session_token=`)) return undefined;
      const found = await auth.api.getSession({ headers, query: { disableRefresh: true } });
      if (!found) return undefined;
      const { id, email, name } = found.user;
      return { id, email, name };
    },
  };
}
