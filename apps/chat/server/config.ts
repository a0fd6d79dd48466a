import { HeadgateError, parseLimits } from "headgate";
import { parseTrustProxy, type TrustProxy } from "headgate/http";
import type { Micros } from "../contract.ts";
import {
  type Environment,
  oneOf,
  onOrOff,
  optional,
  type Reading,
  variableReader,
  wholeNumber,
} from "./config/variables.ts";
import { type DatabaseLocation, readDatabaseUrl } from "./database/connect.ts";
import { parseMicros } from "./money.ts";

/** What the service was told by its environment. `variables` in docs and README list the same. */
export interface Config {
  limits: {
    /** Limit strings: what one person may send. */
    chatPerMinute: string;
    chatPerHour: string;
    /** What one address may send, whoever sends. */
    chatPerAddress: string;
    /** Attempts to sign in or up from one address. */
    signInPerAddress: string;
    storageUri: string;
  };
  /** `null` where nobody said. */
  trustProxy: TrustProxy | null;
  /** Whether `X-User-Id` says who is calling. Unverified: for services that sit behind one's own backend. */
  userIdHeader: boolean;
  database: DatabaseLocation;
  port: number;
  host: string;
  /** `null` leaves the choice to whoever starts: quieter on a terminal. */
  logLevel: LogLevel | null;
  /** The origin by which browsers reach the service; `null` takes what each request says. */
  publicUrl: string | null;
  /** `null` has one made and kept. */
  authSecret: string | null;
  credit: { monthlyAllowance: Micros; currency: string };
  bodyLimitBytes: number;
  shutdownGraceMs: number;
}

export type LogLevel = "trace" | "debug" | "info" | "warn" | "error" | "fatal" | "silent";

/**
 * Reads the environment. Every variable has a default, and an empty one counts as absent.
 *
 * @throws {ConfigError} naming every variable that cannot be read, its value and what would be right
 */
export function loadConfig(environment: Environment): Config {
  const variables = variableReader(environment);
  const { read } = variables;

  const chatPerMinute = read("RATE_LIMIT_CHAT_PER_MIN", "5", limitPer("minute"));
  const chatPerHour = read("RATE_LIMIT_CHAT_PER_HOUR", "60", limitPer("hour"));
  const chatPerAddress = read("RATE_LIMIT_CHAT_IP_PER_MIN", "30", limitPer("minute"));
  const signInPerAddress = read("RATE_LIMIT_SIGN_IN_IP_PER_MIN", "10", limitPer("minute"));
  const storageUri = read("RATE_LIMIT_STORAGE_URI", "memory://", uri, { secret: true });
  const trustProxy = read("RATE_LIMIT_TRUST_PROXY", "", optional(trustedProxies));
  const userIdHeader = read("TRUST_USER_ID_HEADER", "on", onOrOff);
  const database = read("DATABASE_URL", "pglite://data", databaseLocation, { secret: true });
  const port = read("PORT", "3000", wholeNumber(0, 65_535));
  const host = read("HOST", "127.0.0.1", (text) => ({ value: text }));
  const logLevel = read(
    "LOG_LEVEL",
    "",
    optional(oneOf("trace", "debug", "info", "warn", "error", "fatal", "silent")),
  );
  const publicUrl = read("PUBLIC_URL", "", optional(origin));
  const authSecret = read("AUTH_SECRET", "", optional(longSecret), { secret: true });
  const monthlyAllowance = read("CREDIT_MONTHLY_ALLOWANCE", "1.00", allowance);
  const currency = read("CREDIT_CURRENCY", "USD", currencyCode);
  const bodyLimitBytes = read("MAX_BODY_BYTES", "1048576", wholeNumber(1_024, 104_857_600));
  const shutdownGraceSeconds = read("SHUTDOWN_GRACE_SECONDS", "30", wholeNumber(0, 3_600));
  variables.assertAllRead();

  return {
    limits: {
      chatPerMinute: asRead(chatPerMinute),
      chatPerHour: asRead(chatPerHour),
      chatPerAddress: asRead(chatPerAddress),
      signInPerAddress: asRead(signInPerAddress),
      storageUri: asRead(storageUri),
    },
    trustProxy: asRead(trustProxy),
    userIdHeader: asRead(userIdHeader),
    database: asRead(database),
    port: asRead(port),
    host: asRead(host),
    logLevel: asRead(logLevel),
    publicUrl: asRead(publicUrl),
    authSecret: asRead(authSecret),
    credit: { monthlyAllowance: asRead(monthlyAllowance), currency: asRead(currency) },
    bodyLimitBytes: asRead(bodyLimitBytes),
    shutdownGraceMs: asRead(shutdownGraceSeconds) * 1_000,
  };
}

/** After `assertAllRead` nothing is missing; this tells the type checker so, and would fail loudly otherwise. */
function asRead<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error("A variable was used before it was read.");
  return value;
}

/** A bare number counts per the variable's own window; anything else is the library's grammar. */
function limitPer(window: "minute" | "hour") {
  return (text: string): Reading<string> => {
    const limits = /^\d+$/.test(text) ? `${text}/${window}` : text;
    try {
      parseLimits(limits);
      return { value: limits };
    } catch (error) {
      if (!(error instanceof HeadgateError)) throw error;
      return {
        shouldBe: `a number of messages a ${window}, such as 5, or a limit, such as 5/${window} (${withoutStop(error.message)})`,
      };
    }
  };
}

function trustedProxies(text: string): Reading<TrustProxy> {
  try {
    return { value: parseTrustProxy(text) };
  } catch (error) {
    if (!(error instanceof HeadgateError)) throw error;
    return {
      shouldBe: `private, none, first, a number of proxies, a list of addresses and ranges, or the name of a platform (${withoutStop(error.message)})`,
    };
  }
}

function uri(text: string): Reading<string> {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return { value: text };
  return { shouldBe: "the address of a store, such as memory:// or redis://127.0.0.1:6379" };
}

function databaseLocation(text: string): Reading<DatabaseLocation> {
  const value = readDatabaseUrl(text);
  return value
    ? { value }
    : { shouldBe: "postgres://user:password@host:5432/database, pglite://folder or pglite://memory" };
}

function origin(text: string): Reading<string> {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isOrigin =
    url &&
    /^https?:$/.test(url.protocol) &&
    url.pathname === "/" &&
    !url.search &&
    !url.hash &&
    !url.username;
  return isOrigin
    ? { value: url.origin }
    : { shouldBe: "the scheme and host that browsers use, such as https://chat.example.com" };
}

function longSecret(text: string): Reading<string> {
  if (text.length >= 32) return { value: text };
  return { shouldBe: "at least 32 random characters, such as `openssl rand -base64 32` writes" };
}

function allowance(text: string): Reading<Micros> {
  const value = parseMicros(text);
  return value !== undefined && value >= 0
    ? { value }
    : { shouldBe: "an amount of money, 0 or more, such as 1.00" };
}

function currencyCode(text: string): Reading<string> {
  return /^[A-Z]{3}$/.test(text)
    ? { value: text }
    : { shouldBe: "a three-letter currency code, such as USD" };
}

function withoutStop(sentence: string): string {
  return sentence.replace(/\.$/, "");
}
