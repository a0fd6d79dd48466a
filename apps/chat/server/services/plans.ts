import { readFileSync, statSync } from "node:fs";
import { HeadgateError, parseLimits } from "headgate";
import type { Logger } from "pino";
import { z } from "zod";
import type { Micros } from "../../contract.ts";
import { ConfigError } from "../config/config-error.ts";
import type { Config } from "../config/index.ts";
import { parseMicros } from "../money.ts";
import { findPlan } from "../repositories/accounts.ts";
import type { CreditTerms } from "./credit.ts";

/** What one plan gives. */
export interface Plan {
  /** Limits as text; `null` takes those of the environment. */
  limits: string | null;
  /** `null` takes `CREDIT_MONTHLY_ALLOWANCE`. */
  monthlyAllowance: Micros | null;
}

export interface PlanTable {
  /** Of accounts to which nobody gave another, and of callers whose plan could not be found. */
  default: string;
  /** Of callers without an account. */
  anonymous: string;
  plans: Readonly<Record<string, Plan>>;
}

/** The plans in force: those of the file, as it was when it could last be read. */
export interface Plans {
  readonly table: PlanTable;
  /** Which plan a caller has; an account's may be one that the file no longer names. */
  of(caller: { account?: string; plan?: string | undefined }): string;
  /** What an account of this plan gets on the first of each month; `null`: as everybody. */
  allowanceOf(plan: string | null): Micros | null;
  /**
   * Looks at the file from time to time, and puts what has changed into force.
   *
   * @param use is given the new plans first; what it throws keeps the old ones
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
  })
  .describe("What one plan gives.");

const name = z
  .string()
  .min(1)
  .max(LONGEST_NAME)
  .regex(/^(?!default$|__proto__$)/, "is a name that no plan can have");

/** What a plans file holds. */
export const plansFile = z
  .strictObject({
    $schema: z.string().optional(),
    default: name.describe("The plan of accounts to which nobody gave another."),
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

/** What a schema cannot see: a member of this name is none to it. */
function checkNames(value: unknown): void {
  const { plans } = (value ?? {}) as { plans?: unknown };
  if (typeof plans === "object" && plans !== null && Object.hasOwn(plans, "__proto__"))
    throw new SyntaxError('plans: "__proto__" is a name that no plan can have');
}

/**
 * Reads what a plans file holds.
 *
 * @throws {Error} whose message says where it is wrong, and what would be right
 */
export function readPlans(text: string): PlanTable {
  let value: unknown;
  try {
    // Some editors begin a file with a mark that nobody sees.
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
  return {
    default: usual,
    anonymous,
    plans: Object.fromEntries(
      Object.entries(plans).map(([of, { limits: text, monthlyAllowance }]) => [
        of,
        {
          limits: text ?? null,
          monthlyAllowance: monthlyAllowance === undefined ? null : (parseMicros(monthlyAllowance) ?? null),
        },
      ]),
    ),
  };
}

/**
 * The plans of `PLANS_FILE`.
 *
 * @throws {ConfigError} when the file cannot be read now; later, what cannot be read is logged and changes nothing
 */
export function openPlans(path: string, log: Logger): Plans {
  let seen = stamp(path);
  let table: PlanTable;
  try {
    table = readPlans(textOf(path));
  } catch (error) {
    throw new ConfigError([`PLANS_FILE: ${path} cannot be used: ${(error as Error).message}.`]);
  }
  let timer: NodeJS.Timeout | undefined;

  function look(use: (table: PlanTable) => void): void {
    const now = stamp(path);
    if (now === seen) return;
    seen = now;
    try {
      const next = readPlans(textOf(path));
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

  return {
    get table() {
      return table;
    },
    of: ({ account, plan }) => (account === undefined ? table.anonymous : (plan ?? table.default)),
    allowanceOf: (plan) => {
      const name = plan !== null && Object.hasOwn(table.plans, plan) ? plan : table.default;
      return table.plans[name]?.monthlyAllowance ?? null;
    },
    watch(use) {
      timer = setInterval(() => look(use), LOOK_EVERY_MS);
      timer.unref();
    },
    close: () => clearInterval(timer),
  };
}

function textOf(path: string): string {
  const file = statSync(path);
  if (!file.isFile()) throw new Error("it is no file");
  const { size } = file;
  if (size > LARGEST_FILE_BYTES) throw new Error(`it has ${size} bytes, and ${LARGEST_FILE_BYTES} at most`);
  return readFileSync(path, "utf8");
}

/** Tells whether a file is another one by now, however it was replaced. */
function stamp(path: string): string {
  try {
    const { mtimeMs, size, ino } = statSync(path);
    return `${mtimeMs} ${size} ${ino}`;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? "unreadable";
  }
}

/** What accounts get each month, by their plans where there are any. */
export function creditTerms(
  { credit }: Pick<Config, "credit">,
  plans: Plans | undefined,
  afterConfirmation: boolean,
): CreditTerms {
  if (plans === undefined) return { ...credit, afterConfirmation };
  return {
    ...credit,
    afterConfirmation,
    allowanceOf: async (database, userId) =>
      plans.allowanceOf((await findPlan(database, userId)) ?? null) ?? credit.monthlyAllowance,
  };
}
