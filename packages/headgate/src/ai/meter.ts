import type { Admitted } from "../core/admission.ts";
import { HeadgateError } from "../core/errors.ts";
import { isUnit } from "../core/limit.ts";
import { checkFunctions, checkNeeded, checkOptions, nearest } from "../core/options.ts";
import { show } from "../core/show.ts";
import { checkWholeNumber } from "../core/whole-number.ts";
import { guarded } from "../limiter/reporting.ts";
import { type Bindable, bindStream, type PartOf } from "./bind.ts";
import { type Estimator, sharedEstimator } from "./estimate/estimator.ts";
import type { LanguageModelV4 } from "./language-model.ts";
import type { MeterEnd } from "./meter-end.ts";
import { meteredModel } from "./model.ts";
import type { MeterNews } from "./news.ts";
import type { StreamReader } from "./readers.ts";
import { Spending } from "./spending.ts";
import { checkWeights, type TokenWeights } from "./usage.ts";

export interface MeterOptions {
  /**
   * The unit of the limits that count all tokens; `tokens` by default. Limits in `input-tokens`, `output-tokens`,
   * `cached-tokens` and `reasoning-tokens` always count only those tokens.
   */
  unit?: string;
  /**
   * How much each token counts in `unit`, from 0 up: `{ output: 4, cacheRead: 0.1 }`. Input and output are 1 by
   * default; cached input counts as input, and reasoning as output, unless you set them.
   */
  weights?: Partial<TokenWeights>;
  /**
   * How many tokens are held ahead of need, from 16 to 1,000,000; 256 by default. The meter extends the hold when less
   * than a quarter of them is left.
   */
  chunk?: number;
  /**
   * How many tokens a call without a stream holds, and is limited to, if it sets no `maxOutputTokens`: from 16 to
   * 10,000,000; 4,096 by default.
   */
  answerTokens?: number;
  /**
   * Tokens of the prompt, for streams of a provider's own client: charged as input if the provider reports none. By
   * default, the tokens that were held at admission, less one chunk.
   */
  promptTokens?: number;
  /**
   * What happens when the client hangs up. `abort`, the default, stops the model and estimates what it used. `drain`
   * reads the answer until it ends or the budget runs out, and charges what the provider reports: use it for providers
   * that bill the whole answer. With Node's response, or without `bind`, `drain` reads only the running call. A handler
   * that reads the bound stream itself must read it to the end.
   */
  onHangUp?: "abort" | "drain";
  /**
   * How long an answer is drained before it is aborted, in milliseconds from 1 to 600,000; 60,000 by default.
   */
  drainMs?: number;
  /** How long a streaming model may be silent, in milliseconds from 1 to 3,600,000; no limit by default. */
  silenceMs?: number;
  /**
   * Estimates tokens. By default, all meters of a process share one estimator, so that each learns from the calls of
   * all.
   */
  estimator?: Estimator;
  /**
   * Called with errors of the meter itself, which never fail the response. By default they are logged to the console.
   */
  onError?: (error: unknown) => void;
}

/** Charges an admission with what its response really uses. */
export interface Meter {
  /**
   * Returns the same model, with each attempt and each step metered. If the budget runs out, its answer ends cleanly,
   * with the finish reason `length`. If less than `maxOutputTokens` is affordable, `maxOutputTokens` is lowered.
   *
   * @throws HeadgateError `option-invalid` for anything but a model of AI SDK 7.
   */
  model(model: LanguageModelV4): LanguageModelV4;
  /**
   * Ends the admission with this response or stream, however it ends. Chunks pass one by one, as fast as they are
   * read.
   *
   * @param stream a `Response`, a `ReadableStream`, an async iterable, or Node's response.
   * @param read how to meter the parts of a stream from a provider's own client: `openaiChat`, `openaiResponses`,
   *   `anthropicMessages`, or your own.
   * @returns the same kind of stream.
   * @throws HeadgateError `option-invalid` for any other value, for a stream that already has a reader, for a `read`
   *   with a response, or if the meter is already bound.
   */
  bind<Stream extends Bindable>(stream: Stream, read?: StreamReader<PartOf<Stream>>): Stream;
  /** Returns what the answer has cost so far and what remains, in the form that `headgate/client` reads. */
  news(): MeterNews;
  /** For `toUIMessageStreamResponse({ messageMetadata })`: adds the news to the message, as `metadata.headgate`. */
  readonly messageMetadata: (options: { part: { type: string } }) => { headgate: MeterNews } | undefined;
  /**
   * Aborted when the model must stop. Give it to a provider's own client. If the caller leaves before that client's
   * stream is bound, the prompt is charged only if `signal` was read.
   */
  readonly signal: AbortSignal;
  /** Resolves when the answer has ended and is charged. It never rejects. */
  readonly ended: Promise<MeterEnd>;
  /**
   * Ends the admission where no response is bound, such as in a job. A bound response ends it by itself.
   *
   * @param how `failed`, if a provider's own client failed before there was a stream to bind.
   */
  end(how?: "failed"): Promise<MeterEnd>;
}

/**
 * Meters what an admitted request really uses: holds tokens ahead of need, stops when the budget runs out, and
 * charges what was used, exactly once. It takes over the end of the admission from the adapter.
 *
 * ```ts
 * const metered = meter(admission);
 * const result = streamText({ model: metered.model(openai("gpt-5")), messages });
 * return metered.bind(result.toUIMessageStreamResponse({ messageMetadata: metered.messageMetadata }));
 * ```
 *
 * @throws HeadgateError `option-invalid`, naming the option.
 */
export function meter(admission: Admitted, options: MeterOptions = {}): Meter {
  checkMeterOptions(admission, options);
  const spending = new Spending(admission, {
    unit: options.unit ?? "tokens",
    weights: checkWeights(options.weights ?? {}),
    chunk: options.chunk ?? usualChunk,
    answerTokens: options.answerTokens ?? usualAnswer,
    promptTokens: options.promptTokens,
    onHangUp: options.onHangUp ?? "abort",
    drainMs: options.drainMs ?? usualDrainMs,
    silenceMs: options.silenceMs,
    estimator: options.estimator ?? sharedEstimator,
    onError: guarded(options.onError ?? ((error) => console.error("headgate: meter:", error))),
  });
  let isBound = false;
  return {
    model: (model) => meteredModel(model, spending),
    bind(stream, read) {
      if (isBound)
        throw new HeadgateError(
          "option-invalid",
          "This meter is already bound. Use one meter for each response.",
        );
      const bound = bindStream(stream, spending, read);
      isBound = true;
      return bound;
    },
    news: () => spending.news(),
    messageMetadata: ({ part }) =>
      part.type === "finish-step" || part.type === "finish" ? { headgate: spending.news() } : undefined,
    get signal() {
      return spending.takeSignal();
    },
    ended: spending.ended,
    end: (how) => spending.over(how === "failed"),
  };
}

const usualChunk = 256;
const usualAnswer = 4096;
const usualDrainMs = 60_000;

/**
 * Throws for a probable misspelling: a misspelt unit would never be charged. Other unknown units are allowed, because a
 * plan may not count the unit.
 */
function checkUnit({ granted }: Admitted, unit: string): void {
  const meant = isUnit(unit) ? nearest(unit, Object.keys(granted)) : "tokens";
  if (isUnit(unit) && (meant === undefined || meant === unit)) return;
  throw new HeadgateError("option-invalid", `unit of meter is ${show(unit)}: did you mean "${meant}"?`);
}

const meterOptions = [
  "unit",
  "weights",
  "chunk",
  "answerTokens",
  "promptTokens",
  "onHangUp",
  "drainMs",
  "silenceMs",
  "estimator",
  "onError",
];

function checkMeterOptions(admission: unknown, options: MeterOptions): void {
  const isAdmitted =
    typeof admission === "object" &&
    admission !== null &&
    "admitted" in admission &&
    admission.admitted === true;
  if (!isAdmitted || !("extend" in admission)) {
    throw new HeadgateError(
      "option-invalid",
      "meter takes an admitted request: check `admission.admitted` first, and await the result of `admit`.",
    );
  }
  if (typeof options !== "object" || options === null) {
    throw new HeadgateError(
      "option-invalid",
      `The options of meter must be an object such as { unit: "tokens" }, got ${show(options)}.`,
    );
  }
  checkOptions("meter", options, meterOptions, "option-invalid");
  checkFunctions("meter", options, ["onError"]);
  if (options.estimator !== undefined)
    for (const method of ["factorOf", "learn"])
      checkNeeded("The estimator of meter", options.estimator ?? {}, method);
  if (options.unit !== undefined) checkUnit(admission as Admitted, options.unit);
  const { chunk = usualChunk, answerTokens = usualAnswer, promptTokens = 0, silenceMs = 1 } = options;
  const { drainMs = usualDrainMs, onHangUp = "abort" } = options;
  checkWholeNumber("chunk", chunk, 16, 1_000_000);
  checkWholeNumber("answerTokens", answerTokens, 16, 10_000_000);
  checkWholeNumber("promptTokens", promptTokens, 0, 1_000_000_000);
  checkWholeNumber("silenceMs", silenceMs, 1, 3_600_000);
  checkWholeNumber("drainMs", drainMs, 1, 600_000);
  if (onHangUp !== "abort" && onHangUp !== "drain") {
    throw new HeadgateError(
      "option-invalid",
      `onHangUp of meter must be "abort" or "drain", got ${show(onHangUp)}.`,
    );
  }
}
