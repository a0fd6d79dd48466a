import { readFileSync, statSync } from "node:fs";
import { HeadgateError, parseLimits } from "headgate";
import type { Logger } from "pino";
import { z } from "zod";
import type { Micros } from "../../contract.ts";
import { ConfigError } from "../config/config-error.ts";
import type { Config } from "../config/index.ts";
import type { ModelPrice } from "../model/price.ts";
import { MICROS_PER_UNIT, parseMicros } from "../money.ts";
import { findPlan } from "../repositories/accounts.ts";
import type { CreditTerms } from "./credit.ts";

/** A plan. */
export interface Plan {
  /** The plan's limits as text; `null` for the limits of the environment. */
  limits: string | null;
  /** The plan's allowance; `null` for `CREDIT_MONTHLY_ALLOWANCE`. */
  monthlyAllowance: Micros | null;
  /** The permitted models, the default first; `null` for all models of the service. */
  models: [string, ...string[]] | null;
  /** The factor of the models' prices, in millionths. */
  priceFactor: number;
  /** The plan's own prices, by model, in the service's currency. The factor does not apply to them. */
  prices: Readonly<Record<string, ModelPrice>>;
}

export interface PlanTable {
  /** The plan of accounts without a plan, and of callers whose plan could not be found. */
  default: string;
  /** The plan of callers without an account. */
  anonymous: string;
  plans: Readonly<Record<string, Plan>>;
}

/** The plans in force, from the last valid version of the file. */
export interface Plans {
  readonly table: PlanTable;
  /** Returns the name of a caller's plan. An account may have a plan that the file no longer defines. */
  of(caller: { account?: string; plan?: string | undefined }): string;
  /** Returns a caller's plan. */
  planOf(caller: { account?: string; plan?: string | undefined }): Plan;
  /** Returns the monthly allowance of a plan; `null` for the default. */
  allowanceOf(plan: string | null): Micros | null;
  /**
   * Polls the file, and puts changes into force.
   *
   * @param use called with the new plans first; if it throws, the old plans stay
   */
  watch(use: (table: PlanTable) => void): void;
  close(): void;
}

const UNITS = ["requests", "tokens", "concurrent"];
const LONGEST_NAME = 100;
const MOST_PLANS = 100;
const MOST_LIMITS = 20;
const LARGEST_FILE_BYTES = 1_048_576;
const LOOK_EVERY_MS = 1_000;

const limits = z.string().superRefine((text, context) => {
  const reason = whyUnusable(text);
  if (reason !== undefined) context.addIssue({ code: "custom", message: reason });
});

const LARGEST_FACTOR = 1_000;
const MOST_MODELS = 20;

const factor = z
  .string()
  .regex(/^\d{1,4}(\.\d{1,6})?$/, 'should be a number with up to six decimals, such as "1.2"')
  .refine((text) => Number(text) <= LARGEST_FACTOR, `should be ${LARGEST_FACTOR} at most`);

const perMillion = z
  .string()
  .regex(/^\d{1,6}(\.\d{1,6})?$/, 'should be what a million tokens cost, such as "0.60"');

const model = z.string().min(1).max(LONGEST_NAME);

const price = z
  .strictObject({
    input: perMillion.describe("A million tokens of input."),
    cachedInput: perMillion
      .optional()
      .describe("A million tokens of input that the provider read from its cache. Absent: as other input."),
    output: perMillion.describe("A million tokens of output."),
  })
  .describe("What a million tokens cost, in CREDIT_CURRENCY.");

const money = z.string().regex(/^\d{1,9}(\.\d{1,6})?$/, 'should be an amount of money, such as "1.00"');

const plan = z
  .strictObject({
    limits: limits
      .optional()
      .describe(
        'What one caller of this plan may use, such as "30/minute; 2000/day; 500000 tokens/day; 5 concurrent", or "blocked" or "unlimited". Absent: the limits of the environment.',
      ),
    monthlyAllowance: money
      .optional()
      .describe('Credit on the first of each month, such as "20.00". Absent: CREDIT_MONTHLY_ALLOWANCE.'),
    models: z
      .array(model)
      .min(1)
      .max(MOST_MODELS)
      .optional()
      .describe(
        "The models that its callers may use; the first is the default. Absent: all models of the service.",
      ),
    priceFactor: factor
      .optional()
      .describe('What the prices of the models are multiplied by, such as "1.2"; "0" is free. Absent: "1".'),
    prices: z
      .record(model, price)
      .optional()
      .describe("The plan's own prices, by model; priceFactor does not apply to them."),
  })
  .describe("One plan.");

const name = z
  .string()
  .min(1)
  .max(LONGEST_NAME)
  .regex(/^(?!default$|__proto__$)/, "is a name that no plan can have");

/** The schema of a plans file. */
export const plansFile = z
  .strictObject({
    $schema: z.string().optional(),
    default: name.describe("The plan of accounts without another plan."),
    anonymous: name.optional().describe("The plan of callers without an account. Absent: the default plan."),
    plans: z.record(name, plan).describe("Plans by name."),
  })
  .describe("The plans of the chat service: PLANS_FILE names this file.");

function whyUnusable(text: string): string | undefined {
  try {
    const parsed = parseLimits(text);
    if (parsed.length > MOST_LIMITS) return `has ${parsed.length} limits, and ${MOST_LIMITS} at most`;
    const wrong = parsed.find(({ unit }) => !UNITS.includes(unit));
    return wrong && `counts ${wrong.unit}, and the service counts ${UNITS.join(", ")}`;
  } catch (error) {
    if (error instanceof HeadgateError) return error.message;
    throw error;
  }
}

/** Rejects the name `__proto__`, which the schema does not see. */
function checkNames(value: unknown): void {
  const { plans } = (value ?? {}) as { plans?: unknown };
  if (typeof plans === "object" && plans !== null && Object.hasOwn(plans, "__proto__"))
    throw new SyntaxError('plans: "__proto__" is a name that no plan can have');
}

/**
 * Parses a plans file.
 *
 * @param offered the models of the service; absent if the file's models need not be checked
 * @throws {Error} with the place of the mistake and what would be right
 */
export function readPlans(text: string, offered?: readonly string[]): PlanTable {
  let value: unknown;
  try {
    // Some editors begin a file with an invisible byte order mark.
    value = JSON.parse(text.replace(/^\uFEFF/, ""));
    checkNames(value);
  } catch (error) {
    throw new Error(`it is not JSON (${(error as Error).message})`);
  }
  const read = plansFile.safeParse(value);
  if (!read.success) {
    const [issue] = read.error.issues;
    const place = issue?.path.length ? issue.path.map(String).join(".") : "the file";
    throw new Error(`${place}: ${issue?.message}`);
  }
  const { plans, default: usual, anonymous = usual } = read.data;
  const names = Object.keys(plans);
  if (names.length > MOST_PLANS)
    throw new Error(`plans: there are ${names.length}, and ${MOST_PLANS} at most`);
  for (const [place, plan] of Object.entries({ default: usual, anonymous })) {
    if (!Object.hasOwn(plans, plan))
      throw new Error(
        `${place}: there is no plan ${JSON.stringify(plan)}; the plans are ${names.join(", ")}`,
      );
  }
  for (const [of, written] of Object.entries(plans)) checkModels(of, written, offered);
  return {
    default: usual,
    anonymous,
    plans: Object.fromEntries(Object.entries(plans).map(([of, written]) => [of, toPlan(of, written)])),
  };
}

type WrittenPlan = z.output<typeof plan>;

function checkModels(
  of: string,
  { models = [], prices = {} }: WrittenPlan,
  offered: readonly string[] | undefined,
): void {
  const twice = models.find((name, at) => models.indexOf(name) !== at);
  if (twice !== undefined) throw new Error(`plans.${of}.models: names ${JSON.stringify(twice)} twice`);
  if (offered === undefined) return;
  for (const [place, names] of Object.entries({ models, prices: Object.keys(prices) })) {
    const unknown = names.find((name) => !offered.includes(name));
    if (unknown !== undefined)
      throw new Error(
        `plans.${of}.${place}: the service has no model ${JSON.stringify(unknown)}; it has ${offered.join(", ")}`,
      );
  }
}

function toPlan(
  of: string,
  { limits: text, monthlyAllowance, models, priceFactor, prices }: WrittenPlan,
): Plan {
  const [first, ...others] = models ?? [];
  return {
    limits: text ?? null,
    monthlyAllowance: monthlyAllowance === undefined ? null : microsOf(monthlyAllowance),
    models: first === undefined ? null : [first, ...others],
    priceFactor: priceFactor === undefined ? MICROS_PER_UNIT : microsOf(priceFactor),
    prices: Object.fromEntries(
      Object.entries(prices ?? {}).map(([name, written]) => [name, toPrice(of, written)]),
    ),
  };
}

function toPrice(of: string, { input, cachedInput = input, output }: z.output<typeof price>): ModelPrice {
  const inputPerMillion = microsOf(input);
  const cachedInputPerMillion = microsOf(cachedInput);
  const outputPerMillion = microsOf(output);
  const version = `plan ${of} ${inputPerMillion}/${cachedInputPerMillion}/${outputPerMillion}`;
  return { inputPerMillion, cachedInputPerMillion, outputPerMillion, version };
}

/** Converts an amount that the schema has checked. */
function microsOf(text: string): Micros {
  const micros = parseMicros(text);
  if (micros === undefined) throw new Error(`${JSON.stringify(text)} should be an amount of money`);
  return micros;
}

/**
 * Opens the plans of `PLANS_FILE`.
 *
 * @param offered as in `readPlans`
 * @throws {ConfigError} if the file is invalid now; later, an invalid file is logged and changes nothing
 */
export function openPlans(path: string, log: Logger, offered?: readonly string[]): Plans {
  let seen = stamp(path);
  let table: PlanTable;
  try {
    table = readPlans(textOf(path), offered);
  } catch (error) {
    throw new ConfigError([`PLANS_FILE: ${path} cannot be used: ${(error as Error).message}.`]);
  }
  let timer: NodeJS.Timeout | undefined;

  function look(use: (table: PlanTable) => void): void {
    const now = stamp(path);
    if (now === seen) return;
    seen = now;
    try {
      const next = readPlans(textOf(path), offered);
      use(next);
      table = next;
      log.info({ file: path, plans: Object.keys(next.plans) }, "the plans have changed");
    } catch (error) {
      log.error(
        { file: path, reason: (error as Error).message },
        "the plans file cannot be used: the plans stay as they were",
      );
    }
  }

  const of: Plans["of"] = ({ account, plan }) =>
    account === undefined ? table.anonymous : (plan ?? table.default);

  function called(name: string | null): Plan {
    const known = name !== null && Object.hasOwn(table.plans, name) ? name : table.default;
    const found = table.plans[known];
    if (!found) throw new Error(`The plan ${known} was not checked.`);
    return found;
  }

  return {
    get table() {
      return table;
    },
    of,
    planOf: (caller) => called(of(caller)),
    allowanceOf: (plan) => called(plan).monthlyAllowance,
    watch(use) {
      timer = setInterval(() => look(use), LOOK_EVERY_MS);
      timer.unref();
    },
    close: () => clearInterval(timer),
  };
}

function textOf(path: string): string {
  const file = statSync(path);
  if (!file.isFile()) throw new Error("it is not a file");
  const { size } = file;
  if (size > LARGEST_FILE_BYTES) throw new Error(`it has ${size} bytes, and ${LARGEST_FILE_BYTES} at most`);
  return readFileSync(path, "utf8");
}

/** Returns a stamp that differs after a file has changed, however it was replaced. */
function stamp(path: string): string {
  try {
    const { mtimeMs, size, ino } = statSync(path);
    return `${mtimeMs} ${size} ${ino}`;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? "unreadable";
  }
}

/** Returns the terms of credit, with allowances by plan if there are plans. */
export function creditTerms(
  { credit }: Pick<Config, "credit">,
  plans: Plans | undefined,
  afterConfirmation: boolean,
): CreditTerms {
  const { monthlyAllowance, currency, timeZone } = credit;
  const terms = { monthlyAllowance, currency, timeZone, afterConfirmation };
  if (plans === undefined) return terms;
  return {
    ...terms,
    allowanceOf: async (database, userId) =>
      plans.allowanceOf((await findPlan(database, userId)) ?? null) ?? monthlyAllowance,
  };
}
