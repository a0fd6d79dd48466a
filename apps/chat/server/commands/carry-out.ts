import { pino } from "pino";
import { type Config, loadConfig } from "../config/index.ts";
import type { Environment } from "../config/variables.ts";
import { type Database, type DatabaseLocation, openDatabase } from "../database/connect.ts";
import { FolderInUseError } from "../database/folder-lock.ts";
import { sendOrder } from "../operator/client.ts";
import { holdEmbeddedFolder } from "../operator/hold-folder.ts";
import { carryOut, type Order, type Outcome } from "../operator/order.ts";
import { authSecretOf, createAccounts, linkOriginOf } from "../services/accounts.ts";
import { systemUser } from "../services/audit.ts";
import { createCallerLimits } from "../services/caller-limits.ts";
import { createCredit } from "../services/credit.ts";
import { createCreditCodes } from "../services/credit-codes.ts";
import { keepCurrency } from "../services/currency.ts";
import { createChatLimiter } from "../services/limits.ts";
import { creditTerms, openPlans } from "../services/plans.ts";
import { createPolicies } from "../services/policies.ts";
import { StartError } from "../start-error.ts";

/**
 * Carries out an operator's order on the database that `DATABASE_URL` names, whether the service is running or not.
 *
 * @returns what {@link carryOut} returns
 * @throws {StartError} with a message for the operator
 */
export async function carryOutWhereItRuns(
  order: Order,
  environment: Environment,
): Promise<Outcome | undefined> {
  const config = loadConfig(environment);
  const location = reachable(config);
  if (location.kind === "postgres") return carryOutHere(order, config);
  try {
    const door = await holdEmbeddedFolder(location.folder);
    try {
      return await carryOutHere(order, config);
    } finally {
      await door.close();
    }
  } catch (error) {
    if (error instanceof FolderInUseError && error.holder) return sendOrder(error.holder, order);
    throw error;
  }
}

/**
 * Runs work on the database while the service is stopped. For the embedded database, this is enforced.
 *
 * @throws {StartError} with a message for the operator
 */
export async function carryOutAlone<Outcome>(
  environment: Environment,
  work: (database: Database) => Promise<Outcome>,
): Promise<Outcome> {
  const location = reachable(loadConfig(environment));
  const door = location.kind === "embedded" ? await holdEmbeddedFolder(location.folder) : undefined;
  try {
    const { database, close } = await openDatabase(location);
    try {
      return await work(database);
    } finally {
      await close();
    }
  } finally {
    await door?.close();
  }
}

function reachable({ database }: Config): Exclude<DatabaseLocation, { kind: "memory" }> {
  if (database.kind !== "memory") return database;
  throw new StartError(
    "DATABASE_URL is pglite://memory: only the running service can reach that database. Use a folder or PostgreSQL.",
  );
}

/** Checks that this process can reach the counts. */
function checkReachable(order: Order, { limits }: Config): void {
  if (order.action !== "limit" || !limits.storageUri.startsWith("memory:")) return;
  throw new StartError(
    "RATE_LIMIT_STORAGE_URI is memory://: a command cannot reach the counts of another process. With the embedded database, run the command while the service runs; otherwise keep counts in redis:// or postgres://.",
  );
}

async function carryOutHere(order: Order, config: Config): Promise<Outcome | undefined> {
  checkReachable(order, config);
  const { database, close } = await openDatabase(config.database);
  try {
    const clock = { now: Date.now };
    await keepCurrency(database, config.credit.currency);
    const accounts = createAccounts({
      database,
      secret: await authSecretOf(database, config.authSecret),
      publicUrl: config.publicUrl,
      linkOrigin: linkOriginOf(config),
      signUp: config.signUp,
      mail: null,
    });
    const log = pino({ level: "silent" });
    const plans = config.plansFile === null ? undefined : openPlans(config.plansFile, log);
    const credit = createCredit(database, clock, creditTerms(config, plans, false));
    const limiter = createChatLimiter({ config, plans, clock, log }, PATIENCE);
    const policies = createPolicies({ config, plans, database, clock, log, chat: limiter, others: [] });
    try {
      // A policy that an operator set takes precedence over the settings, as in the service.
      await policies.restore();
      const codes = createCreditCodes(database, clock, credit);
      const callerLimits = createCallerLimits({ database, clock, limiter, accounts });
      return await carryOut(order, { database, clock, credit, codes, accounts, plans, callerLimits });
    } finally {
      await policies.close();
      await limiter.close();
    }
  } finally {
    await close();
  }
}

/** A command is not a decision: an operator would rather wait than not know whether a change is in force. */
const PATIENCE = { connectMs: 10_000, storeMs: 10_000 };

/** Who runs a command, for the log of actions. */
export function commandUser(): string {
  return `${systemUser()} (command)`;
}

/** In place of a time, before a reason. */
export const NO_END = "-";

/** The reason in a command line, if it has one. */
export function whyIn(reason: string | undefined): { reason?: string } {
  if (reason === undefined) return {};
  if (reason.length <= 200) return { reason };
  throw new StartError(`A reason has at most 200 characters, got ${reason.length}.`);
}

/** Runs a command as a program. */
export async function runCommand(command: () => Promise<string>): Promise<void> {
  try {
    console.log(await command());
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}
