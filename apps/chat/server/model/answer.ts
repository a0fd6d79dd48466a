import {
  convertToModelMessages,
  isStepCount,
  type ModelMessage,
  pruneMessages,
  type StreamTextResult,
  streamText,
} from "ai";
import type { ChatMessage } from "../../contract.ts";
import { isKnownTaxYear, latestTaxYear, taxYearAt, taxYears } from "../../tax/tax-year.ts";
import { markUncalculated } from "./mark-figures.ts";
import type { ModelChoice } from "./provider.ts";
import { steady } from "./steady-model.ts";
import { type SalaryTools, salaryTools } from "./tools.ts";
import { createWatchdog, type StartTimer, type WatchdogLimits } from "./watchdog.ts";

export interface AnswerLimits extends WatchdogLimits {
  /** The maximum number of rounds, with tool calls between them. */
  steps: number;
  /** The number of retries if the provider refuses the connection or the request, before any token. */
  retries: number;
  /** The maximum number of tokens that a round writes, including reasoning. */
  outputTokens: number;
}

export const defaultAnswerLimits: AnswerLimits = {
  steps: 6,
  retries: 1,
  firstTokenMs: 60_000,
  silenceMs: 30_000,
  totalMs: 180_000,
  outputTokens: 4_000,
};

export interface AnswerOptions {
  choice: ModelChoice;
  messages: ModelMessage[];
  clock: { now(): number };
  /** Stops the answer at once. */
  abortSignal?: AbortSignal | undefined;
  /** Called before each further step. `false` ends the answer after the previous step. */
  mayGoOn?: () => Promise<boolean>;
  limits?: Partial<AnswerLimits>;
  startTimer?: StartTimer;
}

export type Answer = StreamTextResult<SalaryTools, Record<string, unknown>, never>;

/** Returns the instructions for a real model. The built-in responder needs none. */
export function instructionsAt(nowMs: number): string {
  const current = taxYearAt(nowMs);
  return [
    "You answer questions about UK pay for employees: income tax, National Insurance, personal allowance, student loans, pension contributions, bonuses, several jobs, what an employer pays, take-home and marginal rate.",
    "The tools are the only source of numbers. Never state a figure, rate or threshold that a tool did not return in this conversation, and never do arithmetic yourself: call a tool. A figure that no tool gave is marked for the reader as not calculated. Convert monthly or weekly pay to a year (times 12 or 52) for the tools, and say so.",
    `Tax years known: ${taxYears.join(", ")}. For any other year say which are known and give no figures.`,
    `Today is ${new Date(nowMs).toISOString().slice(0, 10)}, in tax year ${current}. ${isKnownTaxYear(current) ? "Use it when no year is asked for." : `Its rates are not known: when no year is asked for, use ${latestTaxYear} and say that these are the latest you know.`}`,
    "England, Wales and Northern Ireland share one set of income tax rates. If the nation is not said, take England and say so.",
    "Account for every amount and circumstance in the question: use it, or say that you left it out.",
    "Anything else (VAT, dividends, capital gains, self-employment, benefits, other countries, other subjects): say in a sentence that you only cover employees' UK pay.",
    "Be short. Begin with a sentence that holds the key figure in bold. The page already draws each tool's result as a card, a table or a chart, so do not repeat it. Write plain British English, no HTML, no images.",
  ].join("\n");
}

/** The maximum number of messages for the model, so that the cost of a question is bounded. */
const mostMessagesSent = 40;

/**
 * Converts stored messages for a model. It leaves out the tool calls of earlier turns, but keeps their text: otherwise,
 * a chart's sixty rows would be paid for again with every question. It drops calls that a stop interrupted.
 */
export async function modelMessages(messages: readonly ChatMessage[]): Promise<ModelMessage[]> {
  const converted = await convertToModelMessages([...messages], {
    tools: salaryTools,
    ignoreIncompleteToolCalls: true,
  });
  const pruned = pruneMessages({
    messages: converted,
    reasoning: "all",
    toolCalls: "before-last-message",
    emptyMessages: "remove",
  });
  const recent = pruned.slice(-mostMessagesSent);
  return recent.slice(
    Math.max(
      0,
      recent.findIndex(({ role }) => role === "user"),
    ),
  );
}

/** Parts that show progress. The time between two of them is limited. */
const tokens = new Set([
  "text-delta",
  "reasoning-delta",
  "tool-input-start",
  "tool-input-delta",
  "tool-call",
]);

/**
 * Lets the model answer, with the salary tools. It never throws: a failure is an `error` part of the stream, a stop or
 * a time-out an `abort` part (`firstToken` distinguishes them). Earlier parts stay.
 */
export function answer(options: AnswerOptions): Answer {
  const { choice, messages, clock, abortSignal, mayGoOn, limits, startTimer } = options;
  const within = { ...defaultAnswerLimits, ...limits };
  const watchdog = createWatchdog(within, startTimer);
  return streamText({
    model: steady(choice.model),
    messages,
    tools: salaryTools,
    stopWhen: [isStepCount(within.steps), async () => mayGoOn !== undefined && !(await mayGoOn())],
    maxRetries: within.retries,
    maxOutputTokens: within.outputTokens,
    ...(choice.builtIn
      ? {}
      : { instructions: instructionsAt(clock.now()), experimental_transform: markUncalculated(messages) }),
    abortSignal:
      abortSignal === undefined ? watchdog.signal : AbortSignal.any([abortSignal, watchdog.signal]),
    onStepStart: watchdog.roundBegins,
    onChunk: ({ chunk }) => {
      if (tokens.has(chunk.type)) watchdog.tokenCame();
    },
    onStepEnd: watchdog.roundEnds,
    onEnd: watchdog.answerEnds,
    onAbort: watchdog.answerEnds,
    // Without a handler, the SDK prints errors to the console, including provider bodies.
    onError: watchdog.answerEnds,
  });
}

const charactersPerToken = 4;

/** Estimates tokens: about four characters each. */
export function tokensIn(characters: number): number {
  return Math.ceil(characters / charactersPerToken);
}

/** The tokens of the instructions and the tool descriptions, which a real model gets in addition to the messages. */
const tokensOfInstructionsAndTools = 3_600;

/** Estimates the input of a request alone, before the stored conversation is read. */
export function estimateMessage(
  messages: readonly { role: "user" | "assistant"; text: string }[],
  model: { builtIn: boolean },
): number {
  const said = messages.slice(-mostMessagesSent).map(({ role, text }) => ({ role, content: text }));
  return estimatePrompt(said, model);
}

/** Estimates the input of an answer's first step. */
export function estimatePrompt(messages: readonly ModelMessage[], { builtIn }: { builtIn: boolean }): number {
  const read = messages.reduce((sum, { content }) => {
    const text = typeof content === "string" ? content : JSON.stringify(content);
    return sum + tokensIn(text.length);
  }, 0);
  return builtIn ? read : read + tokensOfInstructionsAndTools;
}
