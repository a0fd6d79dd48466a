import { HeadgateError } from "headgate";
import { parseTrustProxy, type TrustProxy } from "headgate/http";
import type { Micros } from "../../contract.ts";
import { type DatabaseLocation, readDatabaseUrl } from "../database/connect.ts";
import { LIST_CURRENCY } from "../model/price-list.ts";
import { MICROS_PER_UNIT, parseMicros } from "../money.ts";
import { monthsIn } from "../services/allowance-month.ts";
import type { MailSettings } from "../services/mail.ts";
import {
  answersAtOnce,
  mostAtOnce,
  ofAllCallers,
  requestsPer,
  tokensPerDay,
  withoutStop,
} from "./request-limits.ts";
import {
  type Environment,
  oneOf,
  onOrOff,
  optional,
  type Reading,
  variableReader,
  wholeNumber,
} from "./variables.ts";

/** The service's settings, from its environment. The README lists the variables. */
export interface Config {
  limits: {
    /** The limits of messages for one person. */
    chatPerMinute: string;
    chatPerHour: string;
    /** The limits of tokens for one person; `null` for no limit. */
    chatTokens: string | null;
    /** The limit of simultaneous answers for one person; `null` for no limit. */
    chatConcurrent: string | null;
    /** The limits of all callers together; `null` for no limit. */
    chatGlobal: string | null;
    /** The limits of the model's provider; `null` if only the provider's refusals apply. */
    provider: string | null;
    /** The limits of messages from one address. */
    chatPerAddress: string;
    /** The limits of attempts to sign in or up from one address. */
    signInPerAddress: string;
    /** The limits of request bodies from one address, whatever the response is. */
    bodiesPerAddress: string;
    storageUri: string;
  };
  /** The file with the plans; `null` for none. */
  plansFile: string | null;
  /** `null` if it is not set. */
  trustProxy: TrustProxy | null;
  /** Whether `X-User-Id` identifies callers. It is not verified, so it is for services behind your own backend. */
  userIdHeader: boolean;
  database: DatabaseLocation;
  port: number;
  host: string;
  /** `null` for the default, which logs less on a terminal. */
  logLevel: LogLevel | null;
  /** The origin at which browsers reach the service; `null` to use the origin of each request. */
  publicUrl: string | null;
  /** `null` if the service generates a secret and keeps it. */
  authSecret: string | null;
  /** Whether only accounts get answers. */
  requireAccount: boolean;
  /** Whether anybody can create an account, or only the operator. */
  signUp: "open" | "closed";
  /** `null` if the service sends no e-mails. */
  mail: MailSettings | null;
  /**
   * What opens `/operator`: the token, and the confirmed addresses of accounts. Without both, the page does not exist.
   */
  operator: { token: string | null; emails: readonly string[] };
  /** The token for `GET /metrics`, and the port without a token; `null` for none. */
  metrics: { token: string | null; port: number | null; host: string };
  /** Where notices about limits are sent, and the secret that signs them; `null` for nowhere. */
  limitWebhook: { url: string; secret: string } | null;
  decisionLog: { where: string; maxBytes: number } | null;
  credit: {
    monthlyAllowance: Micros;
    currency: string;
    /** The price of one unit of the price list's currency in the service's currency, in micros; `null` for the kept rate. */
    exchangeRate: Micros | null;
    /** The time zone in which the month of an allowance begins. */
    timeZone: string;
  };
  bodyLimitBytes: number;
  /** The maximum number of answers that this process streams at once. */
  maxStreams: number;
  shutdownGraceMs: number;
}

export type LogLevel = "trace" | "debug" | "info" | "warn" | "error" | "fatal" | "silent";

/**
 * Reads the environment. Every variable has a default, and an empty one counts as absent.
 *
 * @throws {ConfigError} with every invalid variable, its value and what would be right
 */
export function loadConfig(environment: Environment): Config {
  const variables = variableReader(environment);
  const { read } = variables;

  const chatPerMinute = read("RATE_LIMIT_CHAT_PER_MIN", "5", requestsPer("minute"));
  const chatPerHour = read("RATE_LIMIT_CHAT_PER_HOUR", "60", requestsPer("hour"));
  const chatPerAddress = read("RATE_LIMIT_CHAT_IP_PER_MIN", "30", requestsPer("minute"));
  const chatTokens = read("RATE_LIMIT_CHAT_TOKENS_PER_DAY", "", optional(tokensPerDay));
  const chatConcurrent = read("RATE_LIMIT_CHAT_CONCURRENT", "2", answersAtOnce);
  const chatGlobal = read("RATE_LIMIT_CHAT_GLOBAL", "", optional(ofAllCallers));
  const provider = read("RATE_LIMIT_PROVIDER", "", optional(ofAllCallers));
  const signInPerAddress = read("RATE_LIMIT_SIGN_IN_IP_PER_MIN", "10", requestsPer("minute"));
  const bodiesPerAddress = read("RATE_LIMIT_BODIES_IP_PER_MIN", "", optional(requestsPer("minute")));
  const storageUri = read("RATE_LIMIT_STORAGE_URI", "memory://", uri, { secret: true });
  const plansFile = read("PLANS_FILE", "", optional(anyText));
  const trustProxy = read("RATE_LIMIT_TRUST_PROXY", "", optional(trustedProxies));
  const userIdHeader = read("TRUST_USER_ID_HEADER", "on", onOrOff);
  const database = read("DATABASE_URL", "pglite://data", databaseLocation, { secret: true });
  const port = read("PORT", "3000", wholeNumber(0, 65_535));
  const host = read("HOST", "127.0.0.1", anyText);
  const logLevel = read(
    "LOG_LEVEL",
    "",
    optional(oneOf("trace", "debug", "info", "warn", "error", "fatal", "silent")),
  );
  const publicUrl = read("PUBLIC_URL", "", optional(origin));
  const authSecret = read("AUTH_SECRET", "", optional(longSecret), { secret: true });
  const requireAccount = read("REQUIRE_ACCOUNT", "off", onOrOff);
  const signUp = read("SIGN_UP", "open", oneOf("open", "closed"));
  const mailUrl = read("MAIL_URL", "", optional(mailServer), { secret: true });
  const mailFrom = read("MAIL_FROM", "", optional(mailAddress));
  if (mailUrl && mailFrom === null) {
    variables.refuse(
      "MAIL_FROM is not set but MAIL_URL is: it should be the sender, such as chat@example.com.",
    );
  }
  if (mailUrl && publicUrl === null) {
    variables.refuse(
      "PUBLIC_URL is not set but MAIL_URL is: it should be the start of links in e-mails, such as https://chat.example.com.",
    );
  }
  const metricsToken = read("METRICS_TOKEN", "", optional(headerSecret), { secret: true });
  const metricsHost = read("METRICS_HOST", "127.0.0.1", anyText);
  const metricsPort = read("METRICS_PORT", "", optional(wholeNumber(0, 65_535)));
  if (metricsPort && metricsPort === port) {
    variables.refuse(`METRICS_PORT and PORT are both ${port}: set METRICS_PORT to another port.`);
  }
  const decisionLog = read("DECISION_LOG", "", optional(anyText));
  const decisionLogMegabytes = read("DECISION_LOG_MAX_MB", "1000", wholeNumber(1, 1_000_000));
  const limitWebhookUrl = read("LIMIT_WEBHOOK_URL", "", optional(webAddress));
  const limitWebhookSecret = read("LIMIT_WEBHOOK_SECRET", "", optional(webhookSecret), { secret: true });
  if (limitWebhookUrl && limitWebhookSecret === null) {
    variables.refuse(
      'LIMIT_WEBHOOK_SECRET is not set but LIMIT_WEBHOOK_URL is: it should be the secret that signs the messages, such as the output of echo "whsec_$(openssl rand -base64 32)".',
    );
  }
  const operatorToken = read("OPERATOR_TOKEN", "", optional(longSecret), { secret: true });
  const operatorEmails = read("OPERATOR_EMAILS", "", optional(mailAddresses));
  const monthlyAllowance = read("CREDIT_MONTHLY_ALLOWANCE", "1.00", allowance);
  const currency = read("CREDIT_CURRENCY", "GBP", currencyCode);
  const exchangeRate = read("CREDIT_EXCHANGE_RATE", "", optional(rateOfExchange));
  if (exchangeRate && currency === LIST_CURRENCY && exchangeRate !== MICROS_PER_UNIT) {
    variables.refuse(
      `CREDIT_EXCHANGE_RATE is set but CREDIT_CURRENCY is ${currency}, the currency of the prices: set CREDIT_CURRENCY to another one, or unset the rate.`,
    );
  }
  const timeZone = read("ALLOWANCE_TIME_ZONE", "UTC", timeZoneName);
  const bodyLimitBytes = read("MAX_BODY_BYTES", "1048576", wholeNumber(1_024, 104_857_600));
  const maxStreams = read("MAX_STREAMS", "500", wholeNumber(1, 100_000));
  const shutdownGraceSeconds = read("SHUTDOWN_GRACE_SECONDS", "30", wholeNumber(0, 3_600));
  variables.assertAllRead();

  return {
    limits: {
      chatPerMinute: asRead(chatPerMinute),
      chatPerHour: asRead(chatPerHour),
      chatPerAddress: asRead(chatPerAddress),
      chatTokens: asRead(chatTokens),
      chatConcurrent: asRead(chatConcurrent),
      chatGlobal: asRead(chatGlobal),
      provider: asRead(provider),
      signInPerAddress: asRead(signInPerAddress),
      bodiesPerAddress: asRead(bodiesPerAddress) ?? bodiesBeside(asRead(chatPerAddress)),
      storageUri: asRead(storageUri),
    },
    plansFile: asRead(plansFile),
    trustProxy: asRead(trustProxy),
    userIdHeader: asRead(userIdHeader),
    database: asRead(database),
    port: asRead(port),
    host: asRead(host),
    logLevel: asRead(logLevel),
    publicUrl: asRead(publicUrl),
    authSecret: asRead(authSecret),
    requireAccount: asRead(requireAccount),
    signUp: asRead(signUp),
    mail: mailUrl && mailFrom ? { url: mailUrl, from: mailFrom } : null,
    operator: { token: asRead(operatorToken), emails: asRead(operatorEmails) ?? [] },
    metrics: { token: asRead(metricsToken), port: asRead(metricsPort), host: asRead(metricsHost) },
    limitWebhook:
      limitWebhookUrl && limitWebhookSecret ? { url: limitWebhookUrl, secret: limitWebhookSecret } : null,
    decisionLog: decisionLog
      ? { where: decisionLog, maxBytes: asRead(decisionLogMegabytes) * 1_000_000 }
      : null,
    credit: {
      monthlyAllowance: asRead(monthlyAllowance),
      currency: asRead(currency),
      exchangeRate: asRead(exchangeRate),
      timeZone: asRead(timeZone),
    },
    bodyLimitBytes: asRead(bodyLimitBytes),
    maxStreams: asRead(maxStreams),
    shutdownGraceMs: asRead(shutdownGraceSeconds) * 1_000,
  };
}

/** Asserts that a value was read, which `assertAllRead` guarantees. */
function asRead<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error("A variable was used before it was read.");
  return value;
}

const BODIES_PER_MINUTE = 120;
/** After each message, the page may request a title, and change the conversation. */
const BODIES_PER_MESSAGE = 4;

/** The default: 120 a minute, or more if the messages that an address may send need more. */
function bodiesBeside(chatPerAddress: string): string {
  return `${Math.max(BODIES_PER_MINUTE, BODIES_PER_MESSAGE * mostAtOnce(chatPerAddress))}/minute`;
}

const anyText = (text: string): Reading<string> => ({ value: text });

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
    !url.username &&
    !url.password;
  return isOrigin
    ? { value: url.origin }
    : { shouldBe: "the scheme and host that browsers use, such as https://chat.example.com" };
}

function webAddress(text: string): Reading<string> {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url && /^https?:$/.test(url.protocol) && !url.username && !url.password
    ? { value: text }
    : { shouldBe: "an address without a password, such as https://example.com/hooks/limits" };
}

function webhookSecret(text: string): Reading<string> {
  const base64 = text.replace(/^whsec_/, "");
  const bytes = Buffer.from(base64, "base64");
  // `Buffer` accepts almost-valid base64, but receivers do not.
  const isBase64 = bytes.toString("base64") === base64;
  const isSecret = text.startsWith("whsec_") && isBase64 && bytes.length >= 24 && bytes.length <= 64;
  return isSecret
    ? { value: text }
    : { shouldBe: '24 to 64 random bytes, such as the output of echo "whsec_$(openssl rand -base64 32)"' };
}

function mailServer(text: string): Reading<string> {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && /^smtps?:$/.test(url.protocol) && url.hostname !== "") return { value: text };
  return { shouldBe: "a mail server, such as smtp://user:password@mail.example.com:587 or smtps://…" };
}

function mailAddress(text: string): Reading<string> {
  if (/^([^<>\r\n]+ <[^\s@<>]+@[^\s@<>]+>|[^\s@<>]+@[^\s@<>]+)$/.test(text)) return { value: text };
  return { shouldBe: "an e-mail address, such as chat@example.com or Headgate <chat@example.com>" };
}

function mailAddresses(text: string): Reading<string[]> {
  const value = text.split(",").map((address) => address.trim().toLowerCase());
  if (value.every((address) => /^[^\s@<>]+@[^\s@<>]+$/.test(address))) return { value };
  return { shouldBe: "e-mail addresses with commas between them, such as ann@example.com,ben@example.com" };
}

function longSecret(text: string): Reading<string> {
  if (text.length >= 32) return { value: text };
  return { shouldBe: "at least 32 random characters, such as the output of `openssl rand -base64 32`" };
}

/** Reads a token that can be sent in an HTTP field. */
function headerSecret(text: string): Reading<string> {
  return /^[!-~]*$/.test(text)
    ? longSecret(text)
    : {
        shouldBe: "visible ASCII characters without spaces, such as the output of `openssl rand -base64 32`",
      };
}

function allowance(text: string): Reading<Micros> {
  const value = parseMicros(text);
  return value !== undefined && value >= 0
    ? { value }
    : { shouldBe: "an amount of money, 0 or more, such as 1.00" };
}

const HIGHEST_RATE = 1_000_000 * MICROS_PER_UNIT;

function rateOfExchange(text: string): Reading<Micros> {
  const value = parseMicros(text);
  return value !== undefined && value > 0 && value <= HIGHEST_RATE
    ? { value }
    : { shouldBe: `what one ${LIST_CURRENCY} costs in CREDIT_CURRENCY, above 0, such as 0.79` };
}

function timeZoneName(text: string): Reading<string> {
  try {
    monthsIn(text);
    return { value: text };
  } catch {
    return { shouldBe: "a time zone, such as UTC or Europe/London" };
  }
}

function currencyCode(text: string): Reading<string> {
  return /^[A-Z]{3}$/.test(text)
    ? { value: text }
    : { shouldBe: "a three-letter currency code, such as GBP" };
}
