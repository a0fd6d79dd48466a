import { createHmac } from "node:crypto";
import { type DecisionLog, decisionLog, logFiles } from "headgate/log";
import type { Logger } from "pino";
import type { Config } from "../config/index.ts";
import { describeError } from "../http/describe-error.ts";
import { currentRequestId } from "../http/request-log.ts";

const FILES = 10;

/**
 * Logs the limiters' decisions, with pseudonyms instead of callers. A caller has the same pseudonym in all processes of
 * a database, and after a restart.
 *
 * @param secret the secret that signs cookies, from which the secret of the pseudonyms is derived
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
