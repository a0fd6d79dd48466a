import type { Admission, Admitted, Known, Refused } from "../core/admission.ts";
import { knownAs, markInstance } from "../core/copies.ts";
import type { Cost } from "../core/cost.ts";
import { describe } from "../core/describe.ts";
import { HeadgateError } from "../core/errors.ts";
import { isLimiter } from "../core/for-adapters.ts";
import type { CountedCost } from "../core/guard-cost.ts";
import { isKnown } from "../core/known-request.ts";
import { checkFunctions, checkOptions } from "../core/options.ts";
import { show } from "../core/show.ts";
import { checkWholeNumber } from "../core/whole-number.ts";
import type { ClaimOptions, Limiter } from "./contract.ts";
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
  /**
   * Returns the id of a call, from its arguments: `(job) => ({ id: job.id })`. Of all calls of a caller with the same id, one runs; see
   * `Limiter.admit`. A call that fails leaves its id to the next call, which is not charged for requests again. Default, and with
   * `undefined`: the call has no id.
   */
  idempotency?: (...args: Args) => CallId | undefined;
  /** Returns the result of a call whose id is known already. Default: the call rejects with `KnownError`. */
  onKnown?: (known: Known, ...args: Args) => Result | Promise<Result>;
}

/** The id of a call. */
export type CallId = Pick<ClaimOptions, "id" | "fingerprint" | "result">;

/** The call did not run, because its id is known: another call with the id is running, or has run. */
export class KnownError extends Error {
  static override readonly [Symbol.hasInstance] = /* @__PURE__ */ knownAs("KnownError");
  readonly known: Known;

  constructor(known: Known) {
    super(knownMessages[known.state]);
    this.name = "KnownError";
    this.known = known;
    markInstance(this, "KnownError");
  }
}

const knownMessages = {
  running: "Another call with this id is running.",
  done: "A call with this id has already run.",
  conflict: "This id was used with another fingerprint.",
};

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
 *   that the function throws, with `KnownError` if its id is known, and with HeadgateError `cost-invalid`, `queue-full`,
 *   `limiter-closed`, or what `admit` throws for an id.
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
  const { caller, cost, used, maxWaitMs, idempotency, onKnown } = options;
  return async (...args) => {
    const id = idempotency?.(...args);
    const [any, asked] = [limiter as Limiter<Caller>, cost?.(...args)];
    const admission =
      id === undefined
        ? await admitCall(any, caller(...args), asked, maxWaitMs)
        : await admitNamed(any, caller(...args), asked, id, maxWaitMs);
    if (isKnown(admission)) {
      if (onKnown === undefined) throw new KnownError(admission);
      return await onKnown(admission, ...args);
    }
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

function admitNamed<Caller>(
  limiter: Limiter<Caller>,
  caller: Caller,
  cost: Cost | undefined,
  id: CallId,
  maxWaitMs: number | undefined,
): Admission | Known | Promise<Admission | Known> {
  const asked = { ...id, ...(cost === undefined ? {} : { cost }) };
  return maxWaitMs === undefined
    ? limiter.admit(caller, asked)
    : limiter.wait(caller, { ...asked, maxWaitMs });
}

/** Runs an admitted call and ends its admission. The id of a call that fails is left to the next one. */
export async function endingWith<Result>(
  admission: Admitted,
  run: () => Result | Promise<Result>,
  used?: (result: Result) => Cost,
): Promise<Result> {
  let cost: Cost | undefined;
  let done = false;
  try {
    const result = await run();
    cost = used?.(result);
    done = true;
    return result;
  } finally {
    await (admission.attempt === undefined ? admission.end(cost) : admission.end(cost, { done }));
  }
}

const guardOptions = ["caller", "cost", "used", "maxWaitMs", "idempotency", "onKnown"];

function checkGuard(limiter: unknown, run: unknown, options: { maxWaitMs?: number } | undefined): void {
  if (!isLimiter(limiter)) fail(`guard takes a limiter made by createLimiter, got ${describe(limiter)}.`);
  if (typeof run !== "function")
    fail(`guard takes a limiter, a function and { caller }; the function is ${show(run)}.`);
  if (options !== undefined) checkOptions("guard", options, guardOptions, "option-invalid");
  checkFunctions("guard", options ?? {}, ["cost", "used", "idempotency", "onKnown"]);
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
