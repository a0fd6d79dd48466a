import type { ToolExecutionOptions } from "ai";
import type { Refused } from "../core/admission.ts";
import type { Cost } from "../core/cost.ts";
import { describe } from "../core/describe.ts";
import { HeadgateError } from "../core/errors.ts";
import { isLimiter } from "../core/for-adapters.ts";
import type { CountedCost } from "../core/guard-cost.ts";
import { checkFunctions, checkOptions } from "../core/options.ts";
import { checkWholeNumber } from "../core/whole-number.ts";
import type { Limiter } from "../limiter/contract.ts";
import { admitCall, endingWith } from "../limiter/guard.ts";
import { longestWaitMs } from "../limiter/waiting.ts";
import { isAsyncIterable } from "./async-iterable.ts";

type Options = ToolExecutionOptions<never>;

export interface LimitedToolOptions<
  Caller,
  Input = unknown,
  Costs extends Cost | undefined = Cost | undefined,
> {
  /** The caller whose quota a call spends: a constant, or computed from its input. */
  caller: Caller | ((input: Input) => Caller);
  /** What a call costs; one request by default. */
  cost?: (input: Input) => Costs;
  /**
   * The maximum time that a call waits in the limiter's fair queue, in milliseconds from 0 to 86,400,000. Default: 0,
   * no wait.
   */
  maxWaitMs?: number;
}

/** The result of a refused tool, for the model to read. */
export interface ToolRefusal {
  readonly error: "rate_limited";
  readonly message: string;
  /** Whole seconds, rounded up; absent if no wait helps. */
  readonly retryAfterSeconds?: number;
}

/**
 * Returns the same tool of AI SDK 7 with a limit. A refused call is not an error: its result says when the tool may be
 * used again, so that the model can do something else. A failed call is charged too.
 *
 * ```ts
 * const tools = { search: limitedTool(search, searches, { caller: user.id, maxWaitMs: 5000 }) };
 * ```
 *
 * @throws HeadgateError `option-invalid`, also for a tool that the client or the provider runs.
 */
export function limitedTool<
  LimitedTool extends object,
  Caller,
  Unit extends string = string,
  Costs extends Cost | undefined = Cost | undefined,
>(
  tool: LimitedTool,
  limiter: Limiter<Caller, Unit>,
  options: LimitedToolOptions<Caller, unknown, Costs> & CountedCost<Costs, Unit>,
): LimitedTool {
  const execute = checkTool(tool, limiter, options) as (input: unknown, context: Options) => unknown;
  const { caller, cost, maxWaitMs } = options;
  const admit = (input: unknown, { abortSignal }: Options) => {
    const who = typeof caller === "function" ? (caller as (input: unknown) => Caller)(input) : caller;
    return admitCall(limiter as Limiter<Caller>, who, cost?.(input), maxWaitMs, abortSignal);
  };

  async function run(input: unknown, context: Options): Promise<unknown> {
    const admission = await admit(input, context);
    if (!admission.admitted) return refusalOf(admission);
    return endingWith(admission, async () => {
      const output = await execute(input, context);
      return isAsyncIterable(output) ? lastOf(output) : output;
    });
  }

  async function* stream(input: unknown, context: Options): AsyncGenerator<unknown> {
    const admission = await admit(input, context);
    if (!admission.admitted) {
      yield refusalOf(admission);
      return;
    }
    try {
      yield* execute(input, context) as AsyncIterable<unknown>;
    } finally {
      await admission.end();
    }
  }

  const { toModelOutput } = tool as unknown as { toModelOutput?: (given: { output: unknown }) => unknown };
  return {
    ...tool,
    // The SDK must know before the call whether a tool streams.
    execute: execute.constructor.name === "AsyncGeneratorFunction" ? stream : run,
    // The tool's `toModelOutput` cannot read a refusal.
    ...(toModelOutput === undefined
      ? {}
      : {
          toModelOutput: (given: { output: unknown }) =>
            isRefusal(given.output)
              ? { type: "error-text", value: given.output.message }
              : toModelOutput.call(tool, given),
        }),
  };
}

function refusalOf({ retryAfterSeconds: seconds }: Refused): ToolRefusal {
  if (!Number.isFinite(seconds))
    return { error: "rate_limited", message: "This tool cannot be used for this request: no wait helps." };
  const unit = seconds === 1 ? "second" : "seconds";
  return {
    error: "rate_limited",
    message: `This tool is rate limited. It may be used again in ${seconds} ${unit}.`,
    retryAfterSeconds: seconds,
  };
}

function isRefusal(output: unknown): output is ToolRefusal {
  return (
    typeof output === "object" &&
    output !== null &&
    "error" in output &&
    output.error === "rate_limited" &&
    "message" in output
  );
}

async function lastOf(outputs: AsyncIterable<unknown>): Promise<unknown> {
  let last: unknown;
  for await (const output of outputs) last = output;
  return last;
}

function checkTool(tool: unknown, limiter: unknown, options: { maxWaitMs?: number }): unknown {
  if (!isLimiter(limiter))
    throw new HeadgateError(
      "option-invalid",
      `limitedTool takes a tool, a limiter made by createLimiter and { caller }; the limiter is ${describe(limiter)}.`,
    );
  checkOptions("limitedTool", options, ["caller", "cost", "maxWaitMs"], "option-invalid");
  checkFunctions("limitedTool", options, ["cost"]);
  if (options.maxWaitMs !== undefined)
    checkWholeNumber("maxWaitMs of limitedTool", options.maxWaitMs, 0, longestWaitMs);
  if (!("caller" in options) || options.caller === undefined)
    throw new HeadgateError(
      "option-invalid",
      "limitedTool needs the caller whose quota a call spends: { caller: user.id }.",
    );
  const execute = (tool as { execute?: unknown } | null | undefined)?.execute;
  if (typeof execute === "function") return execute;
  throw new HeadgateError(
    "option-invalid",
    "limitedTool takes a tool with `execute`: a tool that the client or the provider runs cannot be limited here.",
  );
}
