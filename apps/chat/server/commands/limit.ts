/**
 * The operator's command for the limits of one caller:
 *
 *     npm run limit -- show     you@example.com
 *     npm run limit -- block    ip:203.0.113.7 24h "a script"
 *     npm run limit -- override you@example.com "30/minute; 1000/day" 7d "launch week"
 *     npm run limit -- end      you@example.com
 *     npm run limit -- reset    you@example.com
 *     npm run limit -- list
 *     npm run limit -- log
 */
import type { Environment } from "../config/variables.ts";
import { callerMistake, type LimitOrder, type LimitOutcome } from "../operator/limit-order.ts";
import { StartError } from "../start-error.ts";
import { carryOutWhereItRuns, commandUser, NO_END, runCommand, whyIn } from "./carry-out.ts";

const USAGE = `Usage:
  limit show     <caller>                               shows the caller's limits and what is left
  limit reset    <caller> [reason]                      gives the whole quota back
  limit block    <caller> [for] [reason]                refuses the caller
  limit override <caller> <limits> [for] [reason]       gives the caller other limits, such as "30/minute"
  limit end      <caller> [reason]                      ends a block, or other limits
  limit list                                            says which are in force
  limit log                                             says what was done last, and by whom
A caller is an e-mail address or account:<id>, user:<id> of an X-User-Id header, visitor:<address> for those there who have
no account, or ip:<address> for everybody behind it. With * at the end the last three mean all that begin so: ip:203.0.113.*
A time is such as 30m, 24h or 7d; without it, or with -, until it is ended.`;

/**
 * Runs one command line.
 *
 * @returns the lines to print
 * @throws {StartError} with a message for the operator
 */
export async function runLimitCommand(words: readonly string[], environment: Environment): Promise<string> {
  const order = readOrder(words);
  const outcome = await carryOutWhereItRuns(order, environment);
  if (outcome && "refused" in outcome) throw new StartError(outcome.refused);
  if (outcome && "changes" in outcome) return changesInWords(order.what, outcome.changes);
  const of = "of" in order ? order.of : "";
  if (!outcome || !("stands" in outcome)) throw new StartError(`There is no account with the e-mail ${of}.`);
  return inWords(of, outcome.stands);
}

function readOrder(words: readonly string[]): LimitOrder {
  const [what, of, ...rest] = words;
  if ((what === "list" || what === "log") && of === undefined) return { action: "limit", what };
  if (of === undefined) throw new StartError(USAGE);
  const mistake = callerMistake(of);
  if (mistake !== undefined) throw new StartError(mistake);
  if (what === "show" && rest.length === 0) return { action: "limit", what, of };
  if ((what === "reset" || what === "end") && rest.length <= 1)
    return { action: "limit", what, of, ...whyIn(rest[0]), by: commandUser() };
  if (what === "block" && rest.length <= 2) return { action: "limit", what, of, ...readTerms(rest) };
  if (what === "override" && rest.length >= 1 && rest.length <= 3) {
    const [limits = "", ...terms] = rest;
    return { action: "limit", what, of, limits, ...readTerms(terms) };
  }
  throw new StartError(USAGE);
}

function readTerms([time, reason]: readonly string[]) {
  return {
    ...(time === undefined || time === NO_END ? {} : { forMs: timeFrom(time) }),
    ...whyIn(reason),
    by: commandUser(),
  };
}

const UNITS_MS: Record<string, number> = { m: 60_000, h: 3_600_000, d: 86_400_000 };
const MOST_DAYS = 3_650;

function timeFrom(text: string): number {
  const [, count = "", unit = ""] = /^(\d{1,6})([mhd])$/.exec(text) ?? [];
  const ms = Number(count) * (UNITS_MS[unit] ?? 0);
  if (ms > 0 && ms <= MOST_DAYS * 86_400_000) return ms;
  throw new StartError(
    `${JSON.stringify(text)} is not a time: it should be minutes, hours or days, such as 30m, 24h or 7d.`,
  );
}

type Standing = Extract<LimitOutcome, { stands: unknown }>["stands"];
type Changes = Extract<LimitOutcome, { changes: unknown }>["changes"];

function changesInWords(what: string, changes: Changes): string {
  if (changes.length === 0) return what === "list" ? "Nobody is blocked or overridden." : "No actions yet.";
  return printable(
    changes.map(({ at, of, what: done, limits, until, reason, by }) => {
      const end = until === null ? "" : `until ${new Date(until).toISOString()}`;
      const rest = [done === "block" ? "" : limits, end, reason, by && `by ${by}`].filter(Boolean).join(", ");
      return `${new Date(at).toISOString()}  ${done} ${of}${rest === "" ? "" : `: ${rest}`}`;
    }),
  );
}

/** Removes control characters, because reasons are typed text and must not control the terminal. */
function printable(lines: readonly string[]): string {
  return lines.map((line) => line.replace(/\p{Cc}/gu, "\uFFFD")).join("\n");
}

function inWords(of: string, { plan, blocked, shared, limits, overrides }: Standing): string {
  const lines = [`${of}${plan === null ? "" : `, plan ${plan}`}${blocked ? ": blocked" : ""}`];
  if (!shared)
    lines.push(
      "  The store does not answer. These are the counts of this process only; blocks and overrides are unknown.",
    );
  for (const { name, quota, remaining, resetMs } of limits) {
    const next = resetMs !== null && resetMs > 0 ? `, more in ${Math.ceil(resetMs / 1_000)} s` : "";
    lines.push(`  ${name}: ${remaining} of ${quota} left${next}`);
  }
  for (const { layer, limits: text, until, reason, by } of overrides) {
    const end = until === null ? "until an operator ends it" : `until ${new Date(until).toISOString()}`;
    lines.push(`  in force in ${layer}: ${[text, end, reason, by && `by ${by}`].filter(Boolean).join(", ")}`);
  }
  return printable(lines);
}

if (import.meta.main) await runCommand(() => runLimitCommand(process.argv.slice(2), process.env));
