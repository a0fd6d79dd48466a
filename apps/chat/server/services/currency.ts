import type { Clock } from "headgate";
import type { Micros } from "../../contract.ts";
import type { Database } from "../database/connect.ts";
import { decimalOf } from "../money.ts";
import { convertCredit, countPaidTurns, isCreditKept, stampCurrency } from "../repositories/currency.ts";
import { lockSetting, settingOrNew, updateSetting } from "../repositories/settings.ts";
import { StartError } from "../start-error.ts";
import { writeAuditLine } from "./audit.ts";

/** The name of the setting for the currency of balances, holds and codes. */
const CURRENCY = "credit currency";

/**
 * Stores the currency of the credit at the first start. Later changes need a conversion.
 *
 * @throws {StartError} if there is credit in another currency
 */
export async function keepCurrency(database: Database, currency: string): Promise<void> {
  await database.transaction(async (transaction) => {
    const isFirst = (await lockSetting(transaction, CURRENCY)) === undefined;
    const kept = await settingOrNew(transaction, CURRENCY, () => currency);
    if (isFirst && kept === currency) return stampCurrency(transaction, currency);
    if (kept === currency) return;
    if (!(await isCreditKept(transaction))) return updateSetting(transaction, CURRENCY, currency);
    throw new StartError(
      `CREDIT_CURRENCY is ${currency}, but the credit in the database is in ${kept}. Set CREDIT_CURRENCY=${kept} to keep it, or convert every balance at a rate of yours: npm run credit -- convert ${kept} ${currency} <what one ${kept} is in ${currency}>.`,
    );
  });
}

/**
 * Converts all credit: balances and unused codes.
 *
 * @param rate the value of one unit of `from` in `to`, in micros
 * @returns the number of accounts
 * @throws {StartError} if the credit is in another currency, or answers that will be charged have not ended
 */
export async function convertCurrency(
  database: Database,
  clock: Clock,
  { from, to, rate, by, reason }: { from: string; to: string; rate: Micros; by: string; reason?: string },
): Promise<number> {
  return database.transaction(async (transaction) => {
    await settingOrNew(transaction, CURRENCY, () => from);
    const kept = await lockSetting(transaction, CURRENCY);
    if (kept !== from) throw new StartError(`The credit in the database is in ${kept}, not in ${from}.`);
    const running = await countPaidTurns(transaction);
    if (running > 0) {
      throw new StartError(
        `${running === 1 ? "1 answer is" : `${running} answers are`} still to be charged in ${from}. Start the service once more with CREDIT_CURRENCY=${from} for half a minute, so that it ends them; stop it, then convert.`,
      );
    }
    await stampCurrency(transaction, from);
    const at = new Date(clock.now());
    const reference = `${decimalOf(rate)} ${to}/${from} ${at.toISOString()}`;
    const converted = await convertCredit(transaction, { from, to, rate, reference, at });
    await updateSetting(transaction, CURRENCY, to);
    const limits = `${from} to ${to} at ${decimalOf(rate)}`;
    await writeAuditLine(transaction, clock, { of: "all credit", what: "convert", limits, by, reason });
    return converted;
  });
}
