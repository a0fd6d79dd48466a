import { randomUUID } from "node:crypto";
import type { Clock } from "headgate";
import type { Credit, Micros } from "../../contract.ts";
import type { Database } from "../database/connect.ts";
import {
  type CreditEntry,
  type CreditRow,
  findCredit,
  findUserIdByEmail,
  insertCreditEntry,
  isEmailConfirmed,
  lockCredit,
  openCredit,
  updateCredit,
} from "../repositories/credit.ts";

export interface CreditTerms {
  /** Given to every account on the first of the month, UTC. What is left of it expires; grants do not. */
  monthlyAllowance: Micros;
  currency: string;
  /** Whether the allowance begins with a confirmed e-mail address only. Default `false`. */
  afterConfirmation?: boolean;
}

export interface CreditService {
  /** What an account has. Gives the month's allowance if it was not given yet. */
  of(userId: string): Promise<Credit>;
  /**
   * Charges an answer, once per `answerId`: the allowance first, then grants. The last answer is charged in full even
   * where less was left, so a balance may end slightly below zero; the debt is carried over.
   */
  charge(transaction: Database, userId: string, amount: Micros, answerId: string): Promise<void>;
  /** Adds to an account, or takes from it when `amount` is below zero. @returns `undefined` for an unknown e-mail */
  grant(email: string, amount: Micros): Promise<Credit | undefined>;
  /** Makes an account's balance exactly `balance`, until its next allowance. */
  set(email: string, balance: Micros): Promise<Credit | undefined>;
  show(email: string): Promise<Credit | undefined>;
}

type Change = Omit<CreditEntry, "userId" | "balanceAfter" | "createdAt">;

export function createCredit(database: Database, clock: Clock, terms: CreditTerms): CreditService {
  const month = () => monthOf(clock.now());

  async function mayHaveAllowance(transaction: Database, userId: string): Promise<boolean> {
    return !terms.afterConfirmation || isEmailConfirmed(transaction, userId);
  }

  /** Opens the credit if need be, gives this month's allowance if need be, and holds the row. */
  async function lockUpToDate(transaction: Database, userId: string): Promise<CreditRow> {
    await openCredit(transaction, { userId, allowanceLeft: 0, grantedLeft: 0, allowanceMonth: NO_MONTH });
    const row = await lockCredit(transaction, userId);
    if (row.allowanceMonth >= month() || !(await mayHaveAllowance(transaction, userId))) return row;
    const renewed = { ...row, allowanceLeft: terms.monthlyAllowance, allowanceMonth: month() };
    await enter(transaction, renewed, allowanceEntry(terms.monthlyAllowance - row.allowanceLeft, month()));
    await updateCredit(transaction, renewed);
    return renewed;
  }

  function enter(transaction: Database, after: CreditRow, change: Change): Promise<boolean> {
    return insertCreditEntry(transaction, {
      ...change,
      userId: after.userId,
      balanceAfter: balanceOf(after),
      createdAt: new Date(clock.now()),
    });
  }

  function toCredit(row: CreditRow): Credit {
    return {
      currency: terms.currency,
      balance: balanceOf(row),
      monthlyAllowance: terms.monthlyAllowance,
      renewsAt: nextMonthStart(clock.now()).toISOString(),
    };
  }

  async function change(email: string, apply: (row: CreditRow) => [CreditRow, Change]) {
    const userId = await findUserIdByEmail(database, email);
    if (userId === undefined) return undefined;
    return database.transaction(async (transaction) => {
      const [row, entry] = apply(await lockUpToDate(transaction, userId));
      await enter(transaction, row, entry);
      await updateCredit(transaction, row);
      return toCredit(row);
    });
  }

  async function creditOf(userId: string): Promise<Credit> {
    const row = await findCredit(database, userId);
    if (row && row.allowanceMonth >= month()) return toCredit(row);
    return toCredit(await database.transaction((transaction) => lockUpToDate(transaction, userId)));
  }

  return {
    of: creditOf,

    async charge(transaction, userId, amount, answerId) {
      const before = await lockUpToDate(transaction, userId);
      const after = spend(before, amount);
      const isFirstTime = await enter(transaction, after, {
        kind: "usage",
        amount: -amount,
        reference: answerId,
      });
      if (isFirstTime) await updateCredit(transaction, after);
    },

    grant: (email, amount) =>
      change(email, (row) => [
        { ...row, grantedLeft: row.grantedLeft + amount },
        { kind: "grant", amount, reference: randomUUID() },
      ]),

    set: (email, balance) =>
      change(email, (row) => {
        const allowanceLeft = Math.min(row.allowanceLeft, Math.max(balance, 0));
        return [
          { ...row, allowanceLeft, grantedLeft: balance - allowanceLeft },
          { kind: "correction", amount: balance - balanceOf(row), reference: randomUUID() },
        ];
      }),

    async show(email) {
      const userId = await findUserIdByEmail(database, email);
      return userId === undefined ? undefined : creditOf(userId);
    },
  };
}

/** Before every month: no allowance was given yet. */
const NO_MONTH = "";

function allowanceEntry(amount: Micros, month: string): Change {
  return { kind: "allowance", amount, reference: month };
}

function balanceOf(row: CreditRow): Micros {
  return row.allowanceLeft + row.grantedLeft;
}

function spend(row: CreditRow, amount: Micros): CreditRow {
  const fromAllowance = Math.min(Math.max(row.allowanceLeft, 0), amount);
  return {
    ...row,
    allowanceLeft: row.allowanceLeft - fromAllowance,
    grantedLeft: row.grantedLeft - (amount - fromAllowance),
  };
}

/** @returns such as `2026-11`, UTC: these sort as time does */
function monthOf(nowMs: number): string {
  return new Date(nowMs).toISOString().slice(0, 7);
}

function nextMonthStart(nowMs: number): Date {
  const now = new Date(nowMs);
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1));
}
