import {
  type Clock,
  createLimiter,
  HeadgateError,
  type LayerOptions,
  type Limiter,
  type LimiterOptions,
  type LimitReading,
  type OutageEvent,
} from "headgate";
import type { Logger } from "pino";
import type { QuotaOfLimit } from "../../contract.ts";
import { ConfigError } from "../config/config-error.ts";
import type { Config } from "../config/index.ts";
import { joinLimits } from "../config/request-limits.ts";
import { describeLimiterError } from "../http/describe-error.ts";
import type { RateLimitCaller } from "./identity.ts";
import type { Plans, PlanTable } from "./plans.ts";

/**
 * Returns the key of a caller's own quota: by account, otherwise by header, otherwise by address. The service adds the
 * prefixes, so that no header can name the partition of an account or an address.
 */
export function userKey(caller: RateLimitCaller): string {
  if (caller.account !== undefined) return `account:${caller.account}`;
  if (caller.userId !== undefined) return `user:${caller.userId}`;
  return addressKey(caller);
}

/**
 * Returns the key of an address, which counts all callers from the address together: a new name brings no new quota.
 */
export function addressKey(caller: Pick<RateLimitCaller, "address">): string {
  return `ip:${caller.address}`;
}

export interface LimiterContext {
  config: Config;
  /** The plans; absent if `PLANS_FILE` is not set. */
  plans?: Plans | undefined;
  clock: Clock;
  log: Logger;
}

/**
 * Creates the limiter of `POST /chat/message`.
 *
 * @throws {ConfigError} if the limits conflict with each other, or the store cannot be opened
 */
/**
 * @param timeouts the limiter's timeouts; the library's defaults are for decisions, and an operator's command can wait
 * longer.
 */
export function createChatLimiter(
  { config, plans, clock, log }: LimiterContext,
  timeouts: LimiterOptions<RateLimitCaller>["timeouts"] = {},
): Limiter<RateLimitCaller> {
  const { storageUri } = config.limits;
  const variables = `${plans ? "PLANS_FILE, " : ""}RATE_LIMIT_CHAT_PER_MIN, RATE_LIMIT_CHAT_PER_HOUR, RATE_LIMIT_CHAT_TOKENS_PER_DAY, RATE_LIMIT_CHAT_IP_PER_MIN, RATE_LIMIT_CHAT_GLOBAL`;
  return madeFrom(variables, storageUri, () =>
    createLimiter<RateLimitCaller>({
      name: "chat",
      layers: chatLayers(config, plans, plans?.table),
      // Every message has a cost in tokens, even if no limit counts tokens.
      units: ["tokens"],
      store: storageUri,
      clock,
      timeouts,
      ...reporting(log, "chat"),
    }),
  );
}

/**
 * Returns the layers of the limiter of `POST /chat/message`.
 *
 * @param table the plans
 */
export function chatLayers(
  { limits }: Pick<Config, "limits">,
  plans: Plans | undefined,
  table: PlanTable | undefined,
): LayerOptions<RateLimitCaller>[] {
  const { chatPerMinute, chatPerHour, chatPerAddress, chatTokens, chatConcurrent, chatGlobal } = limits;
  const ofOneCaller = [joinLimits(chatPerMinute, chatPerHour), chatTokens, chatConcurrent]
    .filter((text) => text !== null)
    .join("; ");
  const user: LayerOptions<RateLimitCaller> =
    plans === undefined || table === undefined
      ? { name: "user", key: userKey, limits: ofOneCaller }
      : {
          name: "user",
          key: userKey,
          plan: plans.of,
          plans: Object.fromEntries(
            Object.entries(table.plans).map(([name, plan]) => [name, plan.limits ?? ofOneCaller]),
          ),
          defaultPlan: table.default,
        };
  return [
    user,
    { name: "ip", key: addressKey, limits: chatPerAddress },
    ...(chatGlobal === null ? [] : [{ name: "global", key: () => "all", limits: chatGlobal }]),
  ];
}

/**
 * Creates the limiter for the model's provider. It applies the provider's limits, and the waits that the provider asks
 * for.
 */
export function createProviderLimiter({ config, clock, log }: LimiterContext): Limiter<string> {
  const { provider, storageUri } = config.limits;
  return madeFrom("RATE_LIMIT_PROVIDER", storageUri, () =>
    createLimiter<string>({
      name: "provider",
      layers: [{ name: "account", key: (model) => model, limits: provider ?? "unlimited" }],
      units: ["tokens"],
      store: storageUri,
      clock,
      ...reporting(log, "provider"),
    }),
  );
}

/** The limits of e-mails to one mailbox. */
const MAILS_PER_RECIPIENT = "3/hour; 10/day";

/** The limits of attempts with the operator's token from one address. */
const OPERATOR_ATTEMPTS = "5/minute; 30/hour";

/** Creates the limiter for attempts with the operator's token. */
export function createOperatorLimiter({ config, clock, log }: LimiterContext): Limiter<{ address: string }> {
  const { storageUri } = config.limits;
  return madeFrom("RATE_LIMIT_STORAGE_URI", storageUri, () =>
    createLimiter<{ address: string }>({
      name: "operator",
      layers: [{ name: "operator-ip", key: addressKey, limits: OPERATOR_ATTEMPTS }],
      store: storageUri,
      clock,
      ...reporting(log, "operator"),
    }),
  );
}

/** Creates the limiter for e-mails, which is needed because anybody can request an e-mail to any address. */
export function createMailLimiter({ config, clock, log }: LimiterContext): Limiter<{ recipient: string }> {
  const { storageUri } = config.limits;
  return madeFrom("RATE_LIMIT_STORAGE_URI", storageUri, () =>
    createLimiter<{ recipient: string }>({
      name: "mail",
      layers: [
        { name: "mail-recipient", key: ({ recipient }) => `mail:${recipient}`, limits: MAILS_PER_RECIPIENT },
      ],
      store: storageUri,
      clock,
      ...reporting(log, "mail"),
    }),
  );
}

/** Creates the limiter for signing in and up, which prevents guessing of passwords. */
export function createSignInLimiter({ config, clock, log }: LimiterContext): Limiter<{ address: string }> {
  const { signInPerAddress, storageUri } = config.limits;
  return madeFrom("RATE_LIMIT_SIGN_IN_IP_PER_MIN", storageUri, () =>
    createLimiter<{ address: string }>({
      name: "sign-in",
      layers: [{ name: "sign-in-ip", key: addressKey, limits: signInPerAddress }],
      store: storageUri,
      clock,
      ...reporting(log, "sign-in"),
    }),
  );
}

/**
 * Creates the limiter for searches, which read all messages of their owner. It counts in this process, because searches
 * wait for each other in this process too.
 */
export function createSearchLimiter({ clock, log }: LimiterContext): Limiter<{ address: string }> {
  return createLimiter<{ address: string }>({
    name: "searches",
    layers: [{ name: "searches-ip", key: addressKey, limits: "60/minute" }],
    clock,
    ...reporting(log, "searches"),
  });
}

/**
 * Creates the limiter for reading conversations: each piece of 25 messages is a unit, because a long conversation takes
 * the process a hundred times as long as a short one. It counts in this process, because reading costs this process.
 */
export function createReadLimiter({ clock, log }: LimiterContext): Limiter<{ address: string }> {
  return createLimiter<{ address: string }>({
    name: "reads",
    layers: [{ name: "reads-ip", key: addressKey, limits: "600/minute" }],
    clock,
    ...reporting(log, "reads"),
  });
}

/**
 * Creates the limiter for request bodies, which counts them before they are read. It counts in this process, because
 * reading a body only costs this process, and a call to a shared store would cost as much. Units are never refunded.
 */
export function createBodiesLimiter({ config, clock, log }: LimiterContext): Limiter<{ address: string }> {
  const { bodiesPerAddress } = config.limits;
  return madeFrom("RATE_LIMIT_BODIES_IP_PER_MIN", "memory://", () =>
    createLimiter<{ address: string }>({
      name: "bodies",
      layers: [{ name: "bodies-ip", key: addressKey, limits: bodiesPerAddress }],
      clock,
      ...reporting(log, "bodies"),
    }),
  );
}

/** Converts readings for the page, without `concurrent` limits, which are free again when an answer ends. */
export function quotaOf(limits: readonly LimitReading[]): QuotaOfLimit[] {
  return limits.filter(({ algorithm }) => algorithm !== "concurrent").map(toQuota);
}

function toQuota(reading: LimitReading): QuotaOfLimit {
  return {
    name: reading.name,
    layer: reading.layer,
    quota: reading.quota,
    unit: reading.unit,
    windowSeconds: Math.round(reading.windowMs / 1_000),
    remaining: reading.remaining,
    resetSeconds: Math.ceil(reading.resetMs / 1_000),
  };
}

const AWAY = "a limiter's store does not answer: the outage policies decide until it does";

/** Logs what a limiter reports, as lines like all others: by default, the library writes to the console. */
function reporting(log: Logger, limiter: string) {
  let isAway = false;
  return {
    onError: (error: unknown) =>
      log.error(
        { limiter, error: describeLimiterError(error) },
        "rate limiter error; the request was still decided",
      ),
    onOutage({ store, to, reason }: OutageEvent) {
      // While the store is away, the attempts to reach it are events too.
      if (to === "open" && !isAway) {
        log.error({ limiter, store, reason }, AWAY);
        isAway = true;
      } else if (to === "closed" && isAway) {
        log.warn({ limiter, store }, "a limiter's store answers again");
        isAway = false;
      }
    },
    onWarning: (warning: string) => log.warn({ limiter, warning }, "this limit is probably a mistake"),
  };
}

function madeFrom<Caller>(
  variables: string,
  storageUri: string,
  make: () => Limiter<Caller>,
): Limiter<Caller> {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof HeadgateError)) throw error;
    const blamed = error.code.startsWith("store-") ? "RATE_LIMIT_STORAGE_URI" : variables;
    throw new ConfigError([`${blamed}: ${withoutPassword(error.message, storageUri)}`]);
  }
}

function withoutPassword(message: string, storageUri: string): string {
  const password = URL.canParse(storageUri) ? new URL(storageUri).password : "";
  return password === "" ? message : message.replaceAll(password, "***");
}
