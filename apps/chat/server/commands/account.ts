/**
 * The operator's command for accounts:
 *
 *     npm run account -- invite     you@example.com
 *     npm run account -- reset-link you@example.com
 *     npm run account -- plan       you@example.com pro
 *
 * The first two print a link to set the account's password. Anybody with the link can take over the account.
 */
import type { Environment } from "../config/variables.ts";
import { StartError } from "../start-error.ts";
import { carryOutWhereItRuns, commandUser, runCommand, whyIn } from "./carry-out.ts";

const USAGE = `Usage:
  account invite     <e-mail> [reason]   makes an account, and prints the link to choose its password
  account reset-link <e-mail> [reason]   prints a link to choose another password
  account plan <e-mail> <plan> [reason]  gives the account a plan of PLANS_FILE; default takes it away again
The log of the operator's console records each with your name in the operating system, and the reason.`;

/**
 * Runs one command line.
 *
 * @returns the lines to print
 * @throws {StartError} with a message for the operator
 */
export async function runAccountCommand(words: readonly string[], environment: Environment): Promise<string> {
  const [action, email, ...rest] = words;
  if (action === "plan") return givePlan(email, rest, environment);
  if (rest.length > 1 || email === undefined || (action !== "invite" && action !== "reset-link")) {
    throw new StartError(USAGE);
  }
  checkEmail(email);
  const outcome = await carryOutWhereItRuns(
    { action, email, ...whyIn(rest[0]), by: commandUser() },
    environment,
  );
  if (outcome && "link" in outcome) return `${outcome.link}\nThe link works once, within one hour.`;
  throw new StartError(
    action === "invite"
      ? `There is already an account with the e-mail ${email}. To let its owner in, use reset-link.`
      : `There is no account with the e-mail ${email}.`,
  );
}

async function givePlan(
  email: string | undefined,
  [plan, reason, ...rest]: readonly string[],
  environment: Environment,
): Promise<string> {
  if (email === undefined || plan === undefined || rest.length > 0) throw new StartError(USAGE);
  checkEmail(email);
  const outcome = await carryOutWhereItRuns(
    { action: "plan", email, plan, ...whyIn(reason), by: commandUser() },
    environment,
  );
  if (!outcome) throw new StartError(`There is no account with the e-mail ${email}.`);
  if ("plan" in outcome) return `${email} has the plan ${outcome.plan}.`;
  throw new StartError("refused" in outcome ? outcome.refused : "Cannot set the plan.");
}

function checkEmail(email: string): void {
  if (/^[^\s@]+@[^\s@]+$/.test(email)) return;
  throw new StartError(`${JSON.stringify(email)} is not an e-mail address, such as you@example.com.`);
}

if (import.meta.main) await runCommand(() => runAccountCommand(process.argv.slice(2), process.env));
