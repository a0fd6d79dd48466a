import { createHmac } from "node:crypto";
import { type DecisionLog, decisionLog, logFiles } from "headgate/log";
import type { Logger } from "pino";
import type { Config } from "../config/index.ts";
import { describeError } from "../http/describe-error.ts";
import { currentRequestId } from "../http/request-log.ts";

const FILES = 10;

/**
 * Logs what the limiters decide, with pseudonyms in place of callers. They are the same in all processes of a database, and after a restart.
 *
 * @param secret what signs cookies: the secret of the pseudonyms is made from it.
 */
export function openDecisionLog(
  { where, maxBytes }: NonNullable<Config["decisionLog"]>,
  secret: string,
  log: Logger,
): DecisionLog {
  return decisionLog({
    writer: logFiles(where, { maxBytes: Math.floor(maxBytes / FILES), maxFiles: FILES }),
    secret: createHmac("sha256", secret).update("decision log").digest(),
    requestId: currentRequestId,
    onError: (error) => log.error({ error: describeError(error) }, "decision log"),
  });
}
