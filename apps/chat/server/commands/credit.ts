/**
 * The operator's command for credit:
 *
 *     npm run credit -- show  you@example.com
 *     npm run credit -- grant you@example.com 5.00
 *     npm run credit -- set   you@example.com 0
 *     npm run credit -- code  5.00 30
 *     npm run credit -- convert USD GBP 0.79
 */

import { loadConfig } from "../config/index.ts";
import type { Environment } from "../config/variables.ts";
import { decimalOf, formatMicros, parseMicros } from "../money.ts";
import type { Order } from "../operator/order.ts";
import { monthsIn } from "../services/allowance-month.ts";
import { convertCurrency } from "../services/currency.ts";
import { StartError } from "../start-error.ts";
import { carryOutAlone, carryOutWhereItRuns, commandUser, NO_END, runCommand, whyIn } from "./carry-out.ts";

const USAGE = `Usage:
  credit show  <e-mail>
  credit grant <e-mail> <amount> [reason]     adds to the balance, such as 5.00
  credit set   <e-mail> <amount> [reason]     makes it the balance, such as 0
  credit code  <amount> [days] [reason]       prints a code that adds it to one account, once; valid for that many days, or with - without an end
  credit convert <from> <to> <rate> [reason]  all balances and unused codes into another currency, while the service is stopped
The log of the operator's console records each change with your name in the operating system, and the reason.`;

/**
 * Runs one command line.
 *
 * @returns the sentence to print
 * @throws {StartError} with a message for the operator
 */
export async function runCreditCommand(words: readonly string[], environment: Environment): Promise<string> {
  if (words[0] === "code") return issueCode(words.slice(1), environment);
  if (words[0] === "convert") return convert(words.slice(1), environment);
  const order = readCreditOrder(words);
  const outcome = await carryOutWhereItRuns(order, environment);
  if (outcome && "refused" in outcome) throw new StartError(outcome.refused);
  if (!outcome || !("credit" in outcome)) {
    throw new StartError(`There is no account with the e-mail ${order.email}.`);
  }
  const { credit } = outcome;
  const balance = formatMicros(credit.balance, credit.currency);
  const allowance = formatMicros(credit.monthlyAllowance, credit.currency);
  return `${order.email} has ${balance}. The next allowance of ${allowance} comes on ${dayOf(credit.renewsAt, environment)}.`;
}

function dayOf(instant: string, environment: Environment): string {
  return monthsIn(loadConfig(environment).credit.timeZone).dayOf(Date.parse(instant));
}

/** Converts all credit. The operator states the rate: the value of one unit of the old currency in the new one. */
async function convert(words: readonly string[], environment: Environment): Promise<string> {
  const [from, to, rateText, reason, ...rest] = words;
  if (from === undefined || to === undefined || rateText === undefined || rest.length > 0)
    throw new StartError(USAGE);
  for (const code of [from, to]) {
    if (/^[A-Z]{3}$/.test(code)) continue;
    throw new StartError(`${JSON.stringify(code)} is not a currency: it should be a code such as GBP.`);
  }
  if (from === to) throw new StartError(`Cannot convert credit from ${from} to ${to}: they are the same.`);
  const rate = amountFrom(rateText);
  if (rate <= 0) throw new StartError(`A rate must be more than 0, got ${JSON.stringify(rateText)}.`);
  const clock = { now: Date.now };
  const accounts = await carryOutAlone(environment, (database) =>
    convertCurrency(database, clock, { from, to, rate, ...whyIn(reason), by: commandUser() }),
  );
  return `The credit of ${accounts === 1 ? "1 account" : `${accounts} accounts`} is in ${to} now, at ${decimalOf(rate)} ${to} for one ${from}. Set CREDIT_CURRENCY=${to}, and CREDIT_MONTHLY_ALLOWANCE and PLANS_FILE to amounts in ${to}.`;
}

async function issueCode(words: readonly string[], environment: Environment): Promise<string> {
  const [amountText, daysText, reason, ...rest] = words;
  if (amountText === undefined || rest.length > 0) throw new StartError(USAGE);
  const amount = amountFrom(amountText);
  if (amount <= 0)
    throw new StartError(`The amount of a code must be more than 0, got ${JSON.stringify(amountText)}.`);
  const validMs = daysText === undefined || daysText === NO_END ? undefined : daysFrom(daysText) * DAY_MS;
  const outcome = await carryOutWhereItRuns(
    {
      action: "code",
      amount,
      ...(validMs === undefined ? {} : { validMs }),
      ...whyIn(reason),
      by: commandUser(),
    },
    environment,
  );
  if (!outcome || !("code" in outcome)) throw new StartError("Cannot create the code.");
  return `${outcome.code}\nIt is shown only once. The first account that uses it gets ${formatMicros(amount, loadConfig(environment).credit.currency)}.`;
}

const DAY_MS = 24 * 3_600_000;
const MOST_DAYS = 3_650;

function daysFrom(text: string): number {
  const days = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (days >= 1 && days <= MOST_DAYS) return days;
  throw new StartError(
    `${JSON.stringify(text)} is not a number of days: it should be a whole number from 1 to ${MOST_DAYS}.`,
  );
}

function readCreditOrder(words: readonly string[]): Extract<Order, { email: string }> {
  const [action, email, amountText, reason, ...rest] = words;
  if (rest.length > 0 || email === undefined) throw new StartError(USAGE);
  if (action === "show" && amountText === undefined) return { action, email };
  if ((action !== "grant" && action !== "set") || amountText === undefined) throw new StartError(USAGE);
  return { action, email, amount: amountFrom(amountText), ...whyIn(reason), by: commandUser() };
}

function amountFrom(amountText: string): number {
  const amount = parseMicros(amountText);
  if (amount !== undefined) return amount;
  throw new StartError(
    `${JSON.stringify(amountText)} is not an amount: it should be a decimal number with at most six decimals, such as 5.00.`,
  );
}

if (import.meta.main) await runCommand(() => runCreditCommand(process.argv.slice(2), process.env));
