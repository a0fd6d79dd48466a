import type { Limiter } from "headgate";
import type { ManagedLimiter } from "headgate-console";
import type { RateLimitCaller } from "./identity.ts";
import {
  createBodiesLimiter,
  createChatLimiter,
  createMailLimiter,
  createOperatorLimiter,
  createProviderLimiter,
  createReadLimiter,
  createSearchLimiter,
  createSignInLimiter,
  type LimiterContext,
} from "./limits.ts";

/** Functions to call in reverse order when the service stops or cannot start. */
export type Closers = (() => void | Promise<void>)[];

/**
 * Opens all limiters of the service.
 *
 * @param chatLimiter replaces the limiter of `POST /chat/message`
 * @param closers gets a function for each limiter as it opens
 * @throws {ConfigError} if limits conflict with each other, or the store cannot be opened
 */
export function openLimiters(
  context: LimiterContext,
  chatLimiter: Limiter<RateLimitCaller> | undefined,
  closers: Closers,
) {
  function opened<Caller>(limiter: Limiter<Caller>): Limiter<Caller> {
    closers.push(() => limiter.close());
    return limiter;
  }
  const { config } = context;
  const hasConsole = config.operator.token !== null || config.operator.emails.length > 0;

  const chat = opened(chatLimiter ?? createChatLimiter(context));
  const signIn = opened(createSignInLimiter(context));
  const bodies = opened(createBodiesLimiter(context));
  const searches = opened(createSearchLimiter(context));
  const reads = opened(createReadLimiter(context));
  const provider = opened(createProviderLimiter(context));
  const mail = config.mail && opened(createMailLimiter(context));
  const operator = hasConsole ? opened(createOperatorLimiter(context)) : null;

  const byName = {
    chat,
    "sign-in": signIn,
    bodies,
    searches,
    reads,
    provider,
    ...(mail ? { mail } : {}),
    ...(operator ? { operator } : {}),
  };
  /** The limiters that operators see next to the chat's. */
  const managed: ManagedLimiter<never>[] = [
    { limiter: signIn },
    { limiter: bodies },
    { limiter: searches },
    { limiter: reads },
    { limiter: provider },
    ...(mail ? [{ limiter: mail }] : []),
    // This limiter guards the console itself, so operators cannot change it.
    ...(operator ? [{ limiter: operator, canChange: false }] : []),
  ];
  return {
    chat,
    signIn,
    bodies,
    searches,
    reads,
    provider,
    mail,
    operator,
    byName,
    managed,
    all: Object.values(byName),
  };
}
