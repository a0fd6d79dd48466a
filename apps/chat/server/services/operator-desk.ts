import type { Clock } from "headgate";
import {
  type CallerDesk,
  type CreditDesk,
  isOperatorsMistake,
  OperatorMistake,
  type Standing,
} from "headgate-console";
import type { Credit, Micros } from "../../contract.ts";
import type { Database } from "../database/connect.ts";
import { formatMicros, parseMicros } from "../money.ts";
import { callerMistake, type LimitOrder, type LimitOutcome } from "../operator/limit-order.ts";
import { findUser, findUserByEmail } from "../repositories/accounts.ts";
import { sumOfHolds, sumOfUsage } from "../repositories/credit.ts";
import { anybodyWithCode, writeAuditLine } from "./audit.ts";
import type { CallerLimits } from "./caller-limits.ts";
import { type CreditService, GrantError, type GrantOptions } from "./credit.ts";
import type { CreditCodes } from "./credit-codes.ts";

export interface OperatorDeskOptions {
  database: Database;
  clock: Clock;
  callerLimits: Pick<CallerLimits, "carryOut">;
  credit: Pick<CreditService, "grant">;
  codes: Pick<CreditCodes, "issue">;
  currency: string;
}

const HINT =
  "An e-mail address, account:<id>, user:<id> of an X-User-Id header, visitor:<address>, or ip:<address> for everybody behind it; ip:203.0.113.* or user:acme-* for all with that beginning";
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Creates the console's desks, with the same services as the operator's commands. */
export function createOperatorDesk(options: OperatorDeskOptions): {
  callers: CallerDesk;
  credit: CreditDesk;
} {
  const { database, clock, callerLimits, credit, codes, currency } = options;

  async function carryOut(order: LimitOrder): Promise<LimitOutcome | undefined> {
    const mistake = "of" in order ? callerMistake(order.of) : undefined;
    if (mistake !== undefined) throw new OperatorMistake(mistake);
    try {
      return await callerLimits.carryOut(order);
    } catch (error) {
      if (isOperatorsMistake(error)) throw new OperatorMistake(error.message);
      throw error;
    }
  }

  const standingIn = (outcome: LimitOutcome | undefined): Standing | undefined =>
    outcome && "stands" in outcome ? outcome.stands : undefined;
  const changesIn = (outcome: LimitOutcome | undefined) =>
    outcome && "changes" in outcome ? outcome.changes : [];

  /** @throws {OperatorMistake} for an invalid amount */
  function amountOf(text: string): Micros {
    const amount = parseMicros(text);
    if (amount !== undefined && amount > 0) return amount;
    throw new OperatorMistake(
      `${JSON.stringify(text)} is not an amount: it should be more than 0, such as 5 or 2.50.`,
    );
  }

  async function granting(email: string, amount: Micros, options: GrantOptions): Promise<Credit | undefined> {
    try {
      return await credit.grant(email, amount, options);
    } catch (error) {
      if (error instanceof GrantError) throw new OperatorMistake(error.message);
      throw error;
    }
  }

  return {
    callers: {
      hint: HINT,
      nameOf(layer, key, limiter) {
        if (limiter !== "chat") return undefined;
        if (layer === "user" && /^(account|user):/.test(key)) return key;
        if (layer === "user" && key.startsWith("ip:")) return `visitor:${key.slice("ip:".length)}`;
        return layer === "ip" && key.startsWith("ip:") ? key : undefined;
      },
      show: async (of) => standingIn(await carryOut({ action: "limit", what: "show", of })),
      decide: async (decision, by) => standingIn(await carryOut({ action: "limit", ...decision, by })),
      inForce: async () => changesIn(await carryOut({ action: "limit", what: "list" })),
      log: async (most) => changesIn(await carryOut({ action: "limit", what: "log", most })),
    },

    credit: {
      currency,
      async cost() {
        const usedIn = async (ms: number) =>
          formatMicros(await sumOfUsage(database, new Date(clock.now() - ms), currency), currency);
        const { held, holders } = await sumOfHolds(database);
        return {
          held: formatMicros(held, currency),
          holders,
          usedInHour: await usedIn(HOUR_MS),
          usedInDay: await usedIn(DAY_MS),
        };
      },
      async grant(of, text, by, id, reason) {
        const amount = amountOf(text);
        const [, accountId] = /^account:(.+)$/.exec(of) ?? [];
        const user = await (accountId === undefined
          ? findUserByEmail(database, of)
          : findUser(database, accountId));
        if (user === undefined) return undefined;
        const limits = formatMicros(amount, currency);
        // The grant and its line in the log are written in one transaction.
        const record = (transaction: Database) =>
          writeAuditLine(transaction, clock, { of, userId: user.id, what: "grant", limits, by, reason });
        const granted = await granting(user.email, amount, { reference: id, record });
        if (granted === undefined) return undefined;
        return `${user.email} has ${formatMicros(granted.balance, currency)} now.`;
      },
      async issueCode(text, days, by, reason) {
        const amount = amountOf(text);
        const validMs = days === undefined ? undefined : days * DAY_MS;
        const until = validMs === undefined ? null : new Date(clock.now() + validMs);
        const line = { of: anybodyWithCode, what: "code", limits: formatMicros(amount, currency) } as const;
        return codes.issue(amount, validMs, (transaction) =>
          writeAuditLine(transaction, clock, { ...line, until, by, reason }),
        );
      },
    },
  };
}
