import type { Limiter } from "headgate";
import { type Webhook, webhook } from "headgate/webhook";
import type { Logger } from "pino";
import type { Config } from "../config/index.ts";
import { describeError } from "../http/describe-error.ts";

/**
 * Sends a signed message when a caller comes near a limit of the chat: once per window for all processes that share a
 * store.
 */
export function openLimitWebhook(
  limiter: Pick<Limiter<never>, "name" | "observe">,
  { url, secret }: NonNullable<Config["limitWebhook"]>,
  store: string,
  log: Logger,
): Webhook {
  return webhook(limiter, {
    url,
    secret,
    store,
    onError: (error) => log.error({ error: describeError(error) }, "limit webhook"),
  });
}
