import type { Admission, Admitted, Refused } from "../core/admission.ts";
import { knownAs, markInstance } from "../core/copies.ts";
import type { Cost } from "../core/cost.ts";
import { describe } from "../core/describe.ts";
import { HeadgateError } from "../core/errors.ts";
import { isLimiter } from "../core/for-adapters.ts";
import type { CountedCost } from "../core/guard-cost.ts";
import { checkFunctions, checkOptions } from "../core/options.ts";
import { show } from "../core/show.ts";
import { checkWholeNumber } from "../core/whole-number.ts";
import type { Limiter } from "./contract.ts";
import { longestWaitMs } from "./waiting.ts";

/** Options of `guard`. */
export interface GuardedFunctionOptions<
  Caller,
  Args extends readonly unknown[],
  Result,
  Costs extends Cost | undefined = Cost | undefined,
  Used extends Cost = Cost,
> {
  /** Returns the caller, from the function's arguments. */
  caller: (...args: Args) => Caller;
  /** Returns the cost of a call, from its arguments. Default: one request. */
  cost?: (...args: Args) => Costs;
  /** Returns the total use of a call, from its result. For costs that were estimates. */
  used?: (result: Result) => Used;
  /**
   * How long a call may wait in the limiter's fair queue, in milliseconds from 0 to 86,400,000. Default: it does not
   * wait.
   */
  maxWaitMs?: number;
}

/** A call that its limiter refused. */
export class RefusedError extends Error {
  static override readonly [Symbol.hasInstance] = /* @__PURE__ */ knownAs("RefusedError");
  readonly refused: Refused;
  /** Whole seconds, rounded up; `Infinity` if no wait helps. */
  readonly retryAfterSeconds: number;

  constructor(refused: Refused) {
    const { retryAfterSeconds: seconds, binding } = refused;
    super(
      Number.isFinite(seconds)
        ? `Refused by ${binding.name}: try again in ${seconds} ${seconds === 1 ? "second" : "seconds"}.`
        : `Refused by ${binding.name}: no wait helps (${refused.reason}).`,
    );
    this.name = "RefusedError";
    this.refused = refused;
    this.retryAfterSeconds = seconds;
    markInstance(this, "RefusedError");
  }
}

/**
 * Guards a function that does not serve an HTTP request: a job of a queue, an agent's tool, a call to another service.
 * Each call is admitted before it runs, and ended when it is over. A failed call stays charged.
 *
 * ```ts
 * const search = guard(limiter, (user: string, words: string) => index.find(words), { caller: (user) => user });
 * ```
 *
 * @returns a function with the same arguments. It rejects with `RefusedError` if the call is refused, with any error
 *   that the function throws, and with HeadgateError `cost-invalid`, `queue-full` or `limiter-closed`.
 * @throws HeadgateError `option-invalid`
 */
export function guard<
  Caller,
  Args extends readonly unknown[],
  Result,
  Unit extends string = string,
  Costs extends Cost | undefined = Cost | undefined,
  Used extends Cost = Cost,
>(
  limiter: Limiter<Caller, Unit>,
  run: (...args: Args) => Result | Promise<Result>,
  options: GuardedFunctionOptions<Caller, Args, Result, Costs, Used> &
    CountedCost<Costs, Unit> &
    CountedCost<Used, Unit, "used">,
): (...args: Args) => Promise<Result> {
  checkGuard(limiter, run, options);
  const { caller, cost, used, maxWaitMs } = options;
  return async (...args) => {
    const admission = await admitCall(
      limiter as Limiter<Caller>,
      caller(...args),
      cost?.(...args),
      maxWaitMs,
    );
    if (!admission.admitted) throw new RefusedError(admission);
    return await endingWith(admission, () => run(...args), used);
  };
}

/** Admits at once, or in the limiter's queue. */
export function admitCall<Caller>(
  limiter: Limiter<Caller>,
  caller: Caller,
  cost: Cost | undefined,
  maxWaitMs: number | undefined,
  signal?: AbortSignal,
): Admission | Promise<Admission> {
  const asked = cost === undefined ? {} : { cost };
  if (maxWaitMs === undefined) return limiter.admit(caller, asked);
  return limiter.wait(caller, { ...asked, maxWaitMs, ...(signal === undefined ? {} : { signal }) });
}

/** Runs an admitted call and ends its admission. */
export async function endingWith<Result>(
  admission: Admitted,
  run: () => Result | Promise<Result>,
  used?: (result: Result) => Cost,
): Promise<Result> {
  let cost: Cost | undefined;
  try {
    const result = await run();
    cost = used?.(result);
    return result;
  } finally {
    await admission.end(cost);
  }
}

function checkGuard(limiter: unknown, run: unknown, options: { maxWaitMs?: number } | undefined): void {
  if (!isLimiter(limiter)) fail(`guard takes a limiter made by createLimiter, got ${describe(limiter)}.`);
  if (typeof run !== "function")
    fail(`guard takes a limiter, a function and { caller }; the function is ${show(run)}.`);
  if (options !== undefined)
    checkOptions("guard", options, ["caller", "cost", "used", "maxWaitMs"], "option-invalid");
  checkFunctions("guard", options ?? {}, ["cost", "used"]);
  if (options?.maxWaitMs !== undefined) checkWholeNumber("maxWaitMs", options.maxWaitMs, 0, longestWaitMs);
  if (typeof (options as { caller?: unknown } | undefined)?.caller !== "function")
    throw new HeadgateError(
      "option-invalid",
      'guard needs a caller option: { caller: (user) => user }, or { caller: () => "everybody" }.',
    );
}

function fail(message: string): never {
  throw new HeadgateError("option-invalid", message);
}
