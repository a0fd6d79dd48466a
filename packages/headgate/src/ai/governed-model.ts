import type { Admitted, Refused } from "../core/admission.ts";
import { type Clock, checkClock } from "../core/clock.ts";
import { knownAs, markInstance } from "../core/copies.ts";
import { describe } from "../core/describe.ts";
import { HeadgateError } from "../core/errors.ts";
import { isLimiter } from "../core/for-adapters.ts";
import { checkOptions } from "../core/options.ts";
import { blocked } from "../core/override.ts";
import { checkWholeNumber } from "../core/whole-number.ts";
import type { Limiter } from "../limiter/contract.ts";
import { longestWaitMs } from "../limiter/waiting.ts";
import { Call, type CallEnd } from "./call.ts";
import { sharedEstimator } from "./estimate/estimator.ts";
import { reportedUse } from "./finish-part.ts";
import {
  type CallOptions,
  checkModel,
  type LanguageModelV4,
  replaceMethods,
  type StreamParts,
} from "./language-model.ts";
import { countContent, sizeOfPrompt } from "./model.ts";
import { PartCounter } from "./model-stream.ts";
import { type ProviderHolds, providerHolds } from "./provider-holds.ts";
import { type ProviderReason, readProviderRefusal } from "./provider-refusal.ts";
import type { TokenUse } from "./usage.ts";

export interface GovernedModelOptions<Caller> {
  /** The caller whose quota each attempt spends: your account at the provider. */
  caller: Caller;
  /**
   * The maximum time that an attempt waits for the quota and for the provider, in milliseconds from 0 to 86,400,000;
   * 60,000 by default.
   */
  maxWaitMs?: number;
  /** The clock for waits that the provider asked for; the system's clock by default. */
  clock?: Clock;
}

/**
 * The error of a call that was refused by the provider, or by the limiter for its quota. The AI SDK does not retry the
 * call.
 */
export class ProviderRefusedError extends Error {
  static override readonly [Symbol.hasInstance] = /* @__PURE__ */ knownAs("ProviderRefusedError");
  readonly reason: ProviderReason;
  /** Whole seconds, rounded up; `undefined` if no wait helps, for example because the account is out of money. */
  readonly retryAfterSeconds: number | undefined;

  constructor(reason: ProviderReason, waitMs: number | undefined, cause?: unknown) {
    const seconds = waitMs === undefined ? undefined : Math.ceil(waitMs / 1000);
    super(
      seconds === undefined
        ? "The language model's provider refuses every call: its account is out of money or quota."
        : `The language model's provider takes no more calls for ${seconds} s.`,
      { cause },
    );
    this.name = "ProviderRefusedError";
    this.reason = reason;
    this.retryAfterSeconds = seconds;
    markInstance(this, "ProviderRefusedError");
  }
}

/**
 * Returns the same model, which now waits for its provider's quota: each attempt and each step waits in the limiter's
 * fair queue. If the provider asks to wait (a 429 or 529, in the formats of OpenAI, Anthropic, Azure and Gemini), all
 * further attempts of the same limiter and caller wait that long, in every process that shares the limiter's store. A
 * later, longer wait replaces it. A 429 about money is thrown without a wait.
 *
 * ```ts
 * const quota = createLimiter({ name: "openai", layers: [{ name: "account", key: (account: string) => account, limits: "500/minute" }] });
 * const model = governedModel(openai("gpt-5"), quota, { caller: "our-account" });
 * ```
 *
 * Limits in `tokens` are charged what the provider reports; missing figures are estimated.
 *
 * @returns the model. Its calls reject with `ProviderRefusedError` if the wait is longer than `maxWaitMs`.
 * @throws HeadgateError `option-invalid`
 */
export function governedModel<Caller>(
  model: LanguageModelV4,
  limiter: Limiter<Caller>,
  options: GovernedModelOptions<Caller>,
): LanguageModelV4 {
  checkModel("governedModel", model);
  if (!isLimiter(limiter))
    throw new HeadgateError(
      "option-invalid",
      `governedModel takes a model, a limiter made by createLimiter and { caller }; the limiter is ${describe(limiter)}.`,
    );
  checkOptions("governedModel", options, ["caller", "maxWaitMs", "clock"], "option-invalid");
  if (options.caller === undefined)
    throw new HeadgateError(
      "option-invalid",
      'governedModel needs a caller, whose quota it spends: { caller: "our-account" }.',
    );
  const { caller, maxWaitMs = 60_000, clock } = options;
  checkWholeNumber("maxWaitMs of governedModel", maxWaitMs, 0, longestWaitMs);
  if (clock !== undefined) checkClock(clock);
  const quota: Quota<Caller> = {
    limiter,
    caller,
    maxWaitMs,
    holds: providerHolds(limiter, JSON.stringify(caller), clock),
  };

  return replaceMethods(model, {
    async doGenerate(params) {
      const admission = await waitFor(quota, params);
      try {
        const result = await model.doGenerate(params);
        const attempt = attemptOf(admission, model, params);
        for (const part of result.content) countContent(part, attempt.call);
        attempt.call.report(reportedUse(result.usage));
        attempt.end("finished");
        return result;
      } catch (error) {
        return refuse(quota, admission, error);
      }
    },
    async doStream(params) {
      const admission = await waitFor(quota, params);
      try {
        const result = await model.doStream(params);
        return { ...result, stream: settling(result.stream, attemptOf(admission, model, params)) };
      } catch (error) {
        return refuse(quota, admission, error);
      }
    },
  });
}

interface Quota<Caller> {
  readonly limiter: Limiter<Caller>;
  readonly caller: Caller;
  readonly maxWaitMs: number;
  readonly holds: ProviderHolds;
}

/** Waits as long as the provider has asked, and then for the quota. */
async function waitFor<Caller>(quota: Quota<Caller>, { abortSignal }: CallOptions): Promise<Admitted> {
  const { limiter, caller, maxWaitMs, holds } = quota;
  const signal = abortSignal === undefined ? {} : { signal: abortSignal };
  let left = maxWaitMs;
  for (;;) {
    const heldMs = holds.leftMs();
    if (heldMs > left) throw new ProviderRefusedError("quota", heldMs);
    left -= heldMs;
    await holds.wait(abortSignal);
    const admission = await limiter.wait(caller, { maxWaitMs: left, ...signal });
    if (!admission.admitted) throw new ProviderRefusedError("quota", waitOf(admission));
    // While this attempt waited for the quota, the provider may have asked for another wait.
    if (holds.leftMs() === 0) return admission;
    await admission.end("nothing");
  }
}

function waitOf({ retryAfterMs }: Refused): number | undefined {
  return Number.isFinite(retryAfterMs) ? retryAfterMs : undefined;
}

/** Handles a failed call. If the provider refused it for its quota, later calls wait. */
async function refuse<Caller>(quota: Quota<Caller>, admission: Admitted, error: unknown): Promise<never> {
  const refusal = readProviderRefusal(error);
  // The call was sent, so the provider has counted it.
  await admission.end({});
  if (refusal === undefined) throw error;
  if (refusal.waitMs === undefined) throw new ProviderRefusedError(refusal.reason, undefined, error);
  quota.holds.hold(refusal.waitMs);
  if (quota.limiter.status().store !== "memory") await blockElsewhere(quota, refusal.waitMs);
  if (refusal.waitMs > quota.maxWaitMs) throw new ProviderRefusedError(refusal.reason, refusal.waitMs, error);
  throw error;
}

/**
 * Blocks the account for other processes too. It does not shorten a longer block, such as an operator's block without
 * an end.
 */
async function blockElsewhere<Caller>({ limiter, caller }: Quota<Caller>, waitMs: number): Promise<void> {
  try {
    const { overrides = [], at } = await limiter.peek(caller);
    const blockedUntil = Math.max(
      0,
      ...overrides.map(({ limits, until }) => (limits === blocked ? until : 0)),
    );
    if (blockedUntil < at + waitMs)
      await limiter.block(caller, { forMs: waitMs, reason: "asked by the provider" });
  } catch {
    // Without the block, other processes wait once the provider refuses them.
  }
}

/** One attempt that the provider answers. */
interface Attempt {
  readonly call: Call;
  /** Charges the attempt's tokens if a limit counts them. Only the first call has an effect. */
  end(how: CallEnd): void;
}

/** The model's own meter, if it has one, learns from the use. */
const learnsNothing = { ...sharedEstimator, learn: () => {} };

function attemptOf(admission: Admitted, model: LanguageModelV4, params: CallOptions): Attempt {
  let tokens = 0;
  const account = {
    begin: () => {},
    settle(_: unknown, { input, cacheRead, cacheWrite, output, reasoning }: TokenUse) {
      tokens = input + cacheRead + cacheWrite + output + reasoning;
    },
  };
  const isCounted = Object.hasOwn(admission.granted, "tokens");
  const prompt = isCounted ? sizeOfPrompt(params) : { tokens: 0, bytes: 0 };
  const call = new Call({ account, estimator: learnsNothing, model: model.modelId, prompt });
  return {
    call,
    end(how) {
      call.close(how);
      void admission.end(isCounted ? { tokens } : {});
    },
  };
}

/** Passes the parts on, and ends the attempt when they end. */
function settling(parts: StreamParts, { call, end }: Attempt): StreamParts {
  const reader = parts.getReader();
  const counter = new PartCounter(call);
  const ended = () => end(counter.hasFailed ? "failed" : "finished");
  return new ReadableStream(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (done) {
            ended();
            return controller.close();
          }
          if (counter.count(value)) ended();
          controller.enqueue(value);
        } catch (error) {
          end("failed");
          controller.error(error);
        }
      },
      async cancel(reason) {
        end("cut");
        await reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
}
