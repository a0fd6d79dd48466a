import { randomUUID } from "node:crypto";
import type { Clock } from "headgate";
import type { Credit, Micros } from "../../contract.ts";
import type { Database } from "../database/connect.ts";
import { HttpProblem } from "../http/problems.ts";
import { formatMicros } from "../money.ts";
import {
  type CreditEntry,
  type CreditRow,
  findCredit,
  findCreditEntry,
  findUserIdByEmail,
  holdCredit,
  insertCreditEntry,
  isEmailConfirmed,
  isUser,
  lockCredit,
  openCredit,
  updateCredit,
} from "../repositories/credit.ts";
import type { Usage } from "../usage.ts";
import { monthsIn } from "./allowance-month.ts";

export interface CreditTerms {
  /**
   * The amount that every account gets on the first of the month. What is left of it expires at the end of the month.
   * Grants do not expire.
   */
  monthlyAllowance: Micros;
  /** Returns the allowance of an account, by its plan. Default: `monthlyAllowance` for everybody. */
  allowanceOf?: (database: Database, userId: string) => Promise<Micros>;
  /** The currency of every amount. */
  currency: string;
  /** The time zone of the months. Default: UTC. */
  timeZone?: string;
  /** Whether the allowance needs a confirmed e-mail address. Default `false`. */
  afterConfirmation?: boolean;
}

export interface CreditService {
  /** The currency of every amount. */
  currency: string;
  /** Returns an account's credit. Grants the month's allowance if necessary. */
  of(userId: string): Promise<Credit>;
  /**
   * Holds this amount of an account's credit for an answer, or nothing. Uses one statement, so that simultaneous
   * answers cannot hold more credit than there is.
   *
   * @returns whether the amount was held
   */
  hold(transaction: Database, userId: string, amount: Micros): Promise<boolean>;
  /** Like `hold`, but holds all remaining credit if there is less. Returns the amount held. */
  holdAffordable(transaction: Database, userId: string, amount: Micros): Promise<Micros>;
  /**
   * Charges the use, once per `reference`, first to the allowance, then to grants, and releases the hold. A cost above
   * the hold is charged in full, so a balance may end slightly below zero; the debt is carried over. A deleted account
   * is charged nothing.
   */
  settle(transaction: Database, userId: string, settlement: Settlement): Promise<void>;
  /** Adds credit from a top-up, once per `reference`. */
  add(transaction: Database, userId: string, addition: Addition): Promise<void>;
  /**
   * Adds an amount to an account, or subtracts it if negative.
   *
   * @returns `undefined` for an unknown e-mail; else the account's state
   * @throws {GrantError} for more than an account may hold, and for a reference of another amount
   */
  grant(email: string, amount: Micros, options?: GrantOptions): Promise<Credit | undefined>;
  /** Makes an account's balance exactly `balance`, until its next allowance. */
  set(
    email: string,
    balance: Micros,
    record?: (transaction: Database) => Promise<void>,
  ): Promise<Credit | undefined>;
  show(email: string): Promise<Credit | undefined>;
}

export interface GrantOptions {
  /** Identifies the grant: a repeated request with the same reference adds nothing. Default: a new grant. */
  reference?: string;
  /** Records the grant in its transaction. If this fails, nothing is granted. */
  record?(transaction: Database): Promise<void>;
}

/** The error of a grant that cannot be made. The message says why. */
export class GrantError extends Error {
  override readonly name = "GrantError";
}

/** The maximum of granted credit on one account: a million units of the currency. */
const MOST_GRANTED: Micros = 1_000_000_000_000;

/** The settlement of a hold. */
export interface Settlement {
  /** Identifies the charge, such as the id of an answer. */
  reference: string;
  cost: Micros;
  /** The amount that was held, all of which is released. */
  held: Micros;
  usage: Usage;
  priceVersion: string;
}

/** A top-up, and its reason. */
export interface Addition {
  kind: "code";
  amount: Micros;
  reference: string;
}

type Change = Omit<CreditEntry, "userId" | "currency" | "balanceAfter" | "createdAt">;

export function createCredit(database: Database, clock: Clock, terms: CreditTerms): CreditService {
  const months = monthsIn(terms.timeZone ?? "UTC");
  const month = () => months.at(clock.now());

  const allowanceOf = terms.allowanceOf ?? (async () => terms.monthlyAllowance);

  async function mayHaveAllowance(transaction: Database, userId: string): Promise<boolean> {
    return !terms.afterConfirmation || isEmailConfirmed(transaction, userId);
  }

  /** Locks an account's credit row. First creates the row and grants this month's allowance if necessary. */
  async function lockUpToDate(transaction: Database, userId: string): Promise<CreditRow> {
    await openCredit(transaction, {
      userId,
      allowanceLeft: 0,
      grantedLeft: 0,
      held: 0,
      allowanceMonth: NO_MONTH,
      currency: terms.currency,
    });
    const row = { ...inCurrency(await lockCredit(transaction, userId)), currency: terms.currency };
    if (row.allowanceMonth >= month() || !(await mayHaveAllowance(transaction, userId))) return row;
    const allowance = await allowanceOf(transaction, userId);
    const renewed = { ...row, allowanceLeft: allowance, allowanceMonth: month() };
    await enter(transaction, renewed, allowanceEntry(allowance - row.allowanceLeft, month()));
    await updateCredit(transaction, renewed);
    return renewed;
  }

  /** @throws {HttpProblem} 503 if an operator has converted the credit since this process started */
  function inCurrency<Row extends CreditRow | undefined>(row: Row): Row {
    if (row && row.currency !== null && row.currency !== terms.currency) throw convertedMeanwhile();
    return row;
  }

  function enter(transaction: Database, after: CreditRow, change: Change): Promise<boolean> {
    return insertCreditEntry(transaction, {
      ...change,
      userId: after.userId,
      currency: terms.currency,
      balanceAfter: balanceOf(after),
      createdAt: new Date(clock.now()),
    });
  }

  async function toCredit(within: Database, row: CreditRow): Promise<Credit> {
    return {
      currency: terms.currency,
      balance: balanceOf(row),
      held: row.held,
      monthlyAllowance: await allowanceOf(within, row.userId),
      renewsAt: new Date(months.nextAfter(clock.now())).toISOString(),
    };
  }

  async function change(
    email: string,
    apply: (row: CreditRow) => [CreditRow, Change],
    record?: (transaction: Database) => Promise<void>,
  ) {
    const userId = await findUserIdByEmail(database, email);
    if (userId === undefined) return undefined;
    return database.transaction(async (transaction) => {
      const [row, entry] = apply(await lockUpToDate(transaction, userId));
      await enter(transaction, row, entry);
      await updateCredit(transaction, row);
      await record?.(transaction);
      return toCredit(transaction, row);
    });
  }

  async function creditOf(userId: string): Promise<Credit> {
    const row = inCurrency(await findCredit(database, userId));
    if (row && row.allowanceMonth >= month()) return toCredit(database, row);
    return database.transaction(async (transaction) =>
      toCredit(transaction, await lockUpToDate(transaction, userId)),
    );
  }

  return {
    currency: terms.currency,
    of: creditOf,

    async hold(transaction, userId, amount) {
      const row = inCurrency(await findCredit(transaction, userId));
      if (!row || row.allowanceMonth < month()) await lockUpToDate(transaction, userId);
      return holdCredit(transaction, userId, amount, terms.currency);
    },

    async holdAffordable(transaction, userId, amount) {
      const row = await lockUpToDate(transaction, userId);
      const granted = Math.max(0, Math.min(amount, balanceOf(row) - row.held));
      await updateCredit(transaction, { ...row, held: row.held + granted });
      return granted;
    },

    async settle(transaction, userId, { reference, cost, held, usage, priceVersion }) {
      if (!(await isUser(transaction, userId))) return;
      const before = await lockUpToDate(transaction, userId);
      const freed = { ...before, held: before.held - held };
      const spent = spend(freed, cost);
      const change: Change = { kind: "usage", amount: -cost, reference, held, ...usage, priceVersion };
      const isSpent = cost > 0 && (await enter(transaction, spent, change));
      await updateCredit(transaction, isSpent ? spent : freed);
    },

    async add(transaction, userId, addition) {
      const before = await lockUpToDate(transaction, userId);
      const row = { ...before, grantedLeft: before.grantedLeft + addition.amount };
      if (await enter(transaction, row, addition)) await updateCredit(transaction, row);
    },

    async grant(email, amount, { reference = randomUUID(), record } = {}) {
      const userId = await findUserIdByEmail(database, email);
      if (userId === undefined) return undefined;
      return database.transaction(async (transaction) => {
        const before = await lockUpToDate(transaction, userId);
        const made = await findCreditEntry(transaction, userId, "grant", reference);
        if (made !== undefined && made.amount !== amount)
          throw new GrantError(
            `This grant of ${formatMicros(made.amount, terms.currency)} was already made.`,
          );
        if (made !== undefined) return toCredit(transaction, before);
        const row = { ...before, grantedLeft: before.grantedLeft + amount };
        if (amount > 0 && row.grantedLeft > MOST_GRANTED)
          throw new GrantError(
            `An account may have at most ${formatMicros(MOST_GRANTED, terms.currency)} of granted credit. This one has ${formatMicros(before.grantedLeft, terms.currency)}.`,
          );
        await enter(transaction, row, { kind: "grant", amount, reference });
        await updateCredit(transaction, row);
        await record?.(transaction);
        return toCredit(transaction, row);
      });
    },

    set: (email, balance, record) =>
      change(
        email,
        (row) => {
          const allowanceLeft = Math.min(row.allowanceLeft, Math.max(balance, 0));
          return [
            { ...row, allowanceLeft, grantedLeft: balance - allowanceLeft },
            { kind: "correction", amount: balance - balanceOf(row), reference: randomUUID() },
          ];
        },
        record,
      ),

    async show(email) {
      const userId = await findUserIdByEmail(database, email);
      return userId === undefined ? undefined : creditOf(userId);
    },
  };
}

/** The month of an account that never got an allowance. It sorts before every month. */
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

function convertedMeanwhile(): HttpProblem {
  return new HttpProblem(
    503,
    "currency_changed",
    "The service is changing its currency, so no payments are possible right now. Please try again in a moment.",
  );
}
