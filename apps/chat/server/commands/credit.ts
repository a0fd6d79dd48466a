/**
 * The operator's command for credit:
 *
 *     npm run credit -- show  you@example.com
 *     npm run credit -- grant you@example.com 5.00
 *     npm run credit -- set   you@example.com 0
 *
 * Works on the database that `DATABASE_URL` names, while the service runs as well as while it does not.
 */
import type { Credit } from "../../contract.ts";
import type { Environment } from "../config/variables.ts";
import { type Config, loadConfig } from "../config.ts";
import { openDatabase } from "../database/connect.ts";
import { readHolder } from "../database/folder-lock.ts";
import { formatMicros, parseMicros } from "../money.ts";
import { isHolderAlive, sendOrder } from "../operator/client.ts";
import { type CreditOrder, carryOut } from "../operator/credit-order.ts";
import { holdEmbeddedFolder } from "../operator/hold-folder.ts";
import { createCredit } from "../services/credit.ts";
import { StartError } from "../start-error.ts";

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
  const order = readOrder(words);
  const config = loadConfig(environment);
  const credit = await carryOutWhereItRuns(order, config);
  if (!credit) throw new StartError(`There is no account with the e-mail ${order.email}.`);
  const balance = formatMicros(credit.balance, credit.currency);
  const allowance = formatMicros(credit.monthlyAllowance, credit.currency);
  return `${order.email} has ${balance}. The next allowance of ${allowance} comes on ${credit.renewsAt.slice(0, 10)}.`;
}

function readOrder(words: readonly string[]): CreditOrder {
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

async function carryOutWhereItRuns(order: CreditOrder, config: Config): Promise<Credit | undefined> {
  const { database: location } = config;
  if (location.kind === "memory") {
    throw new StartError(
      "DATABASE_URL is pglite://memory: that database lives within the running service alone, and no command can reach it. Use a folder or PostgreSQL.",
    );
  }
  if (location.kind === "postgres") return carryOutHere(order, config);
  const holder = await readHolder(location.folder);
  if (holder && (await isHolderAlive(holder))) return sendOrder(holder, order);
  const door = await holdEmbeddedFolder(location.folder);
  try {
    return await carryOutHere(order, config);
  } finally {
    await door.close();
  }
}

async function carryOutHere(order: CreditOrder, config: Config): Promise<Credit | undefined> {
  const open = await openDatabase(config.database);
  try {
    return await carryOut(order, createCredit(open.database, { now: Date.now }, config.credit));
  } finally {
    await open.close();
  }
}

if (import.meta.main) {
  try {
    console.log(await runCreditCommand(process.argv.slice(2), process.env));
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}
