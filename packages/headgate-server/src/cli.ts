import { readFile, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { HeadgateError } from "headgate";
import { type PolicyDocument, policySchema, readPolicyDocument } from "headgate/policy-document";
import { asHtml } from "./html.ts";
import { InputError } from "./input-error.ts";
import { beyond, readThreshold, type Thresholds } from "./plan.ts";
import { decidedNothing, readLog } from "./read-log.ts";
import { replay } from "./replay.ts";
import { type Prices, type Summary, summarize } from "./summary.ts";
import { asText } from "./text.ts";
import { limitersIn, trafficOf } from "./traffic.ts";
import { sentence } from "./words.ts";

const usage = `headgate-server replay <log…>                      checks that a log replays as it was decided
headgate-server replay <log…> --policy new.json    shows what another policy would have done
headgate-server plan <log…> --policy new.json --max-refused 1%
                                                   fails if a threshold is exceeded
headgate-server schema                             prints the JSON Schema of policies

<log…>  .jsonl files of a decision log, or folders of them

  --policy FILE          the other policy, as JSON
  --limiter NAME         which limiter, if the log has several
  --from, --to TIME      counts only decisions between these times: 2026-11-01T09:00Z
  --price UNIT=AMOUNT    what a unit costs: tokens=0.000002, or tokens=2/1000000
  --currency CODE        currency of the prices: GBP (default USD)
  --top NUMBER           how many callers to list (default 10)
  --json                 prints JSON instead of text
  --html FILE            also writes an HTML page

Thresholds of plan, as a number or a share:
  --max-refused, --max-newly-refused, --max-newly-admitted    of all decisions
  --max-callers                                               of all callers
  --max-unspent                                               of the money spent

Exits with 0; with 1 if a threshold is exceeded, or a replay under the same policy differs; with 2 for invalid input.
`;

const thresholdOptions = {
  "max-refused": "refused",
  "max-newly-refused": "newlyRefused",
  "max-newly-admitted": "newlyAdmitted",
  "max-callers": "callers",
  "max-unspent": "unspent",
} as const;

const text = { type: "string" } as const;
const options = {
  policy: text,
  limiter: text,
  from: text,
  to: text,
  price: { type: "string", multiple: true },
  currency: text,
  top: text,
  json: { type: "boolean" },
  html: text,
  help: { type: "boolean", short: "h" },
  "max-refused": text,
  "max-newly-refused": text,
  "max-newly-admitted": text,
  "max-callers": text,
  "max-unspent": text,
} as const;

type Values = ReturnType<typeof parseArgs<{ options: typeof options; allowPositionals: true }>>["values"];

/** The output and the exit code of a command. */
export interface CommandResult {
  readonly code: 0 | 1 | 2;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command. Errors become messages on `stderr`; it never throws. */
export async function runCommand(words: readonly string[]): Promise<CommandResult> {
  try {
    const { values, positionals } = parse(words);
    const [command, ...places] = positionals;
    if (values.help === true || command === "help") return { code: 0, stdout: usage, stderr: "" };
    if (command === "schema")
      return { code: 0, stdout: `${JSON.stringify(policySchema, null, 2)}\n`, stderr: "" };
    if (command !== "replay" && command !== "plan")
      throw new InputError(
        `${command === undefined ? "The command is missing" : `"${command}" is not a command`}: write replay, plan, schema or --help.`,
      );
    return await run(command, places, values);
  } catch (error) {
    if (error instanceof InputError || error instanceof HeadgateError) return failed(error.message);
    if (error instanceof Error && "code" in error && String(error.code).startsWith("E"))
      return failed(error.message);
    // Exit with 2, because 1 means that a threshold is exceeded.
    return failed(`Internal error: ${error instanceof Error ? error.stack : String(error)}`);
  }
}

function failed(message: string): CommandResult {
  return { code: 2, stdout: "", stderr: `headgate-server: ${message}\n` };
}

function parse(words: readonly string[]) {
  try {
    return parseArgs({ args: [...words], options, allowPositionals: true });
  } catch (error) {
    throw new InputError(error instanceof Error ? error.message : String(error));
  }
}

async function run(
  command: "replay" | "plan",
  places: readonly string[],
  values: Values,
): Promise<CommandResult> {
  if (places.length === 0) throw new InputError(`${command} needs a log: files, or folders of log files.`);
  const thresholds = thresholdsOf(command, values);
  const policy = values.policy === undefined ? undefined : await readPolicy(values.policy);
  if (command === "plan" && policy === undefined)
    throw new InputError("plan needs --policy FILE: the new policy.");
  const prices = pricesOf(values);
  if (thresholds.unspent !== undefined && prices === undefined)
    throw new InputError("--max-unspent needs a price: --price tokens=0.000002");
  const content = await readLog(places);
  const limiters = limitersIn(content.lines);
  const isNamed = content.lines.some((line) => "limiter" in line && line.limiter === values.limiter);
  if (isNamed && values.limiter !== undefined && !limiters.includes(values.limiter))
    throw decidedNothing(values.limiter);
  const limiter = limiterOf(limiters, values.limiter, policy !== undefined);
  const summaries = limiter.map((name): Summary => {
    const traffic = trafficOf(content.lines, name, policy === undefined);
    const unpriced = Object.keys(prices?.perUnit ?? {}).filter((unit) => !traffic.units.has(unit));
    if (unpriced.length > 0)
      throw new InputError(
        `--price names ${unpriced.join(", ")}, and no cost in the log of "${name}" does: it has ${[...traffic.units].join(", ") || "no costs"}.`,
      );
    const bounds = { from: momentOf("from", values.from), to: momentOf("to", values.to) };
    const summary = summarize(traffic, content, replay(traffic, policy), policy !== undefined, {
      ...bounds,
      prices,
      top: topOf(values.top),
    });
    if (summary.decisions === 0) throw new InputError(`No decision of "${name}" is between --from and --to.`);
    return summary;
  });
  if (values.html !== undefined) await writeFile(values.html, asHtml(summaries));
  const passed = summaries.flatMap((summary) => beyond(summary, thresholds));
  const differs = command === "replay" && summaries.some(({ differences = 0 }) => differences > 0);
  const [first] = summaries;
  const json = () => {
    const planned =
      command === "plan" && first !== undefined ? { sentence: sentence(first), beyond: passed } : {};
    const all = summaries.map((summary) => ({ ...summary, ...planned }));
    return `${JSON.stringify(all.length === 1 ? all[0] : all, null, 2)}\n`;
  };
  return {
    code: passed.length > 0 || differs ? 1 : 0,
    stdout: values.json === true ? json() : summaries.map(asText).join("\n"),
    stderr: passed.map((one) => `${one}\n`).join(""),
  };
}

function limiterOf(found: readonly string[], name: string | undefined, isOne: boolean): readonly string[] {
  if (name !== undefined && !found.includes(name))
    throw new InputError(`The log has no limiter ${JSON.stringify(name)}: it has ${found.join(", ")}.`);
  if (name !== undefined) return [name];
  if (!isOne || found.length === 1) return found;
  throw new InputError(`The log has several limiters: choose one with --limiter: ${found.join(", ")}.`);
}

async function readPolicy(file: string): Promise<PolicyDocument> {
  let json: unknown;
  const content = await readFile(file, "utf8").catch(() => {
    throw new InputError(`Cannot read the file ${file}: --policy needs a policy as JSON.`);
  });
  try {
    json = JSON.parse(content);
  } catch (error) {
    throw new InputError(`${file} is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  try {
    return readPolicyDocument(json);
  } catch (error) {
    throw error instanceof HeadgateError ? new InputError(`${file}: ${error.message}`) : error;
  }
}

function thresholdsOf(command: string, values: Values): Thresholds {
  const given = Object.entries(thresholdOptions).flatMap(([option, name]) => {
    const value = values[option as keyof typeof thresholdOptions];
    return value === undefined ? [] : [[name, readThreshold(option, value)] as const];
  });
  if (command === "plan" && given.length === 0)
    throw new InputError("plan needs a threshold, such as --max-refused 1%: without one it can never fail.");
  if (command === "replay" && given.length > 0)
    throw new InputError("Thresholds are for plan: write plan instead of replay.");
  return Object.fromEntries(given);
}

function pricesOf({ price, currency = "USD" }: Values): Prices | undefined {
  if (price === undefined) return undefined;
  if (!/^[A-Z]{3}$/.test(currency))
    throw new InputError(`--currency must be a code such as GBP, got ${JSON.stringify(currency)}.`);
  const perUnit = price.map((one) => {
    const found = /^([a-z][a-z0-9_-]*)=(\d+(?:\.\d+)?)(?:\/(\d+))?$/.exec(one);
    if (found === null || found[3] === "0")
      throw new InputError(
        `--price must be such as tokens=0.000002 or tokens=2/1000000, got ${JSON.stringify(one)}.`,
      );
    return [found[1] as string, Number(found[2]) / Number(found[3] ?? 1)] as const;
  });
  return { currency, perUnit: Object.fromEntries(perUnit) };
}

function momentOf(option: string, given: string | undefined): number | undefined {
  if (given === undefined) return undefined;
  const at = Date.parse(given);
  if (Number.isFinite(at)) return at;
  throw new InputError(`--${option} must be a time such as 2026-11-01T09:00Z, got ${JSON.stringify(given)}.`);
}

function topOf(given: string | undefined): number | undefined {
  if (given === undefined) return undefined;
  if (/^\d{1,4}$/.test(given)) return Number(given);
  throw new InputError(`--top must be a whole number from 0 to 9999, got ${JSON.stringify(given)}.`);
}
