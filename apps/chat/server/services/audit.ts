import { userInfo } from "node:os";
import type { Clock } from "headgate";
import type { Config } from "../config/index.ts";
import type { Database } from "../database/connect.ts";
import { decimalOf, formatMicros } from "../money.ts";
import { insertLimitChange, type LimitChangeRow } from "../repositories/limit-changes.ts";
import { lockSetting, settingOrNew, updateSetting } from "../repositories/settings.ts";

/** An operator's action on money or rights, for the log of actions. */
export interface AuditLine extends Pick<LimitChangeRow, "of" | "what" | "by"> {
  /** The account, if the action is about one. */
  userId?: string | null;
  /** The value that was set: an amount, a plan, or the value of a setting. */
  limits: string | null;
  until?: Date | null;
  reason?: string | null | undefined;
}

/** The `of` of a line about a top-up code, which is not for one account. */
export const anybodyWithCode = "anybody with the code";

/**
 * Writes an action into the log of actions. Pass the transaction of the action, so that no action is made without its
 * line. Actions on limits are written by `createCallerLimits`: their lines also name the partition, so that the limit
 * can be restored if the store loses it.
 */
export async function writeAuditLine(database: Database, clock: Clock, line: AuditLine): Promise<void> {
  const { of, userId = null, what, limits, until = null, reason = null, by } = line;
  const at = new Date(clock.now());
  await insertLimitChange(database, { partition: what, of, userId, what, limits, until, reason, by, at });
}

/** Returns the user of the operating system that runs this process. */
export function systemUser(): string {
  try {
    return userInfo().username;
  } catch {
    // A container can run as a user without a name.
    return `user ${process.getuid?.() ?? "unknown"}`;
  }
}

const KEPT_SETTINGS = "audited settings";
/**
 * The values that count as known at the first start. Of all settings, only the operators are recorded then, if there
 * are any.
 */
const FIRST = { OPERATOR_EMAILS: "none" };

/**
 * Writes changes of the settings for limits, money and operators since the last start into the log of actions. Of several
 * processes, only the first does so.
 */
export async function auditSettings(database: Database, clock: Clock, config: Config): Promise<void> {
  const now = auditedSettings(config);
  await database.transaction(async (transaction) => {
    await settingOrNew(transaction, KEPT_SETTINGS, () => JSON.stringify(FIRST));
    const kept = JSON.parse((await lockSetting(transaction, KEPT_SETTINGS)) ?? "{}") as Record<
      string,
      string
    >;
    const by = `${systemUser()} (start)`;
    for (const [name, limits] of Object.entries(now)) {
      if (kept[name] === undefined || kept[name] === limits) continue;
      const reason = `was ${kept[name]}`;
      await writeAuditLine(transaction, clock, { of: name, what: "setting", limits, reason, by });
    }
    await updateSetting(transaction, KEPT_SETTINGS, JSON.stringify(now));
  });
}

function auditedSettings({ limits, credit, operator, requireAccount, signUp }: Config) {
  return {
    RATE_LIMIT_CHAT_PER_MIN: limits.chatPerMinute,
    RATE_LIMIT_CHAT_PER_HOUR: limits.chatPerHour,
    RATE_LIMIT_CHAT_IP_PER_MIN: limits.chatPerAddress,
    RATE_LIMIT_CHAT_TOKENS_PER_DAY: limits.chatTokens ?? "none",
    RATE_LIMIT_CHAT_CONCURRENT: limits.chatConcurrent ?? "none",
    RATE_LIMIT_CHAT_GLOBAL: limits.chatGlobal ?? "none",
    RATE_LIMIT_PROVIDER: limits.provider ?? "none",
    RATE_LIMIT_SIGN_IN_IP_PER_MIN: limits.signInPerAddress,
    RATE_LIMIT_BODIES_IP_PER_MIN: limits.bodiesPerAddress,
    CREDIT_MONTHLY_ALLOWANCE: formatMicros(credit.monthlyAllowance, credit.currency),
    CREDIT_EXCHANGE_RATE: credit.exchangeRate === null ? "none" : decimalOf(credit.exchangeRate),
    OPERATOR_EMAILS: operator.emails.join(", ") || "none",
    OPERATOR_TOKEN: operator.token === null ? "none" : "set",
    REQUIRE_ACCOUNT: requireAccount ? "on" : "off",
    SIGN_UP: signUp,
  } satisfies Record<string, string>;
}
