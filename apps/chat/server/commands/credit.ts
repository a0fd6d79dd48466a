/**
 * The operator's command for credit:
 *
 *     npm run credit -- show  you@example.com
 *     npm run credit -- grant you@example.com 5.00
 *     npm run credit -- set   you@example.com 0
 */
import type { Environment } from "../config/variables.ts";
import { formatMicros, parseMicros } from "../money.ts";
import type { Order } from "../operator/order.ts";
import { StartError } from "../start-error.ts";
import { carryOutWhereItRuns, runCommand } from "./carry-out.ts";

const USAGE = `Usage:
  credit show  <e-mail>
  credit grant <e-mail> <amount>   adds to the balance, such as 5.00
  credit set   <e-mail> <amount>   makes it the balance, such as 0`;

/**
 * Carries out one command line.
 *
 * @returns the sentence to print
 * @throws {StartError} with a sentence that says what is wrong
 */
export async function runCreditCommand(words: readonly string[], environment: Environment): Promise<string> {
  const order = readCreditOrder(words);
  const outcome = await carryOutWhereItRuns(order, environment);
  if (!outcome || !("credit" in outcome)) {
    throw new StartError(`There is no account with the e-mail ${order.email}.`);
  }
  const { credit } = outcome;
  const balance = formatMicros(credit.balance, credit.currency);
  const allowance = formatMicros(credit.monthlyAllowance, credit.currency);
  return `${order.email} has ${balance}. The next allowance of ${allowance} comes on ${credit.renewsAt.slice(0, 10)}.`;
}

function readCreditOrder(words: readonly string[]): Order {
  const [action, email, amountText, ...rest] = words;
  if (rest.length > 0 || email === undefined) throw new StartError(USAGE);
  if (action === "show" && amountText === undefined) return { action, email };
  if ((action !== "grant" && action !== "set") || amountText === undefined) throw new StartError(USAGE);
  const amount = parseMicros(amountText);
  if (amount !== undefined) return { action, email, amount };
  throw new StartError(
    `${JSON.stringify(amountText)} is not an amount: it should be a decimal number with at most six decimals, such as 5.00.`,
  );
}

if (import.meta.main) await runCommand(() => runCreditCommand(process.argv.slice(2), process.env));
