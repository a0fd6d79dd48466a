import type { Account, RunningCall } from "./account.ts";
import type { Estimator } from "./estimate/estimator.ts";
import { corrected } from "./estimate/estimator.ts";
import { sizeOf, type TextSize } from "./estimate/text-tokens.ts";
import { completedUse, isComplete, noUse, type ReportedUse, type TokenUse, tokensIn } from "./usage.ts";

/** How a call to a model ended. `cut`: Headgate or the reader stopped it. */
export type CallEnd = "finished" | "failed" | "cut";

export interface CallOptions {
  readonly account: Pick<Account, "begin" | "settle">;
  readonly estimator: Estimator;
  /** The model whose correction is applied to estimates, and updated by this call. */
  readonly model: string | undefined;
  /** The size of everything that is sent to the model. */
  readonly prompt: TextSize;
}

/** One call to a model: an attempt, a step, or a stream from a provider's own client. */
export class Call implements RunningCall {
  readonly #options: CallOptions;
  readonly #input: number;
  readonly #factor: number;
  /** Tokens of the answer before corrections, and its number of chunks. Each chunk counts at least one token. */
  #written = { output: 0, reasoning: 0 };
  #pieces = { output: 0, reasoning: 0 };
  #said = false;
  #reported: ReportedUse | undefined;
  end: CallEnd | undefined;
  /** Reads the rest of the answer, whether or not it has a reader. */
  drain: (() => Promise<void>) | undefined;

  constructor(options: CallOptions) {
    const { account, estimator, model, prompt } = options;
    this.#options = options;
    this.#factor = estimator.factorOf(model);
    this.#input = corrected(prompt, this.#factor);
    account.begin(this);
  }

  /** Whether the model has sent any output. */
  get said(): boolean {
    return this.#said;
  }

  /** Whether the use is an estimate, at least in part. */
  get isEstimated(): boolean {
    return this.#reported === undefined || !isComplete(this.#reported);
  }

  get used(): TokenUse {
    const estimated = {
      ...noUse,
      input: this.#input,
      output: this.#estimate("output"),
      reasoning: this.#estimate("reasoning"),
    };
    if (this.#reported === undefined) return estimated;
    const reported = completedUse(this.#reported, estimated);
    // A report before the end may cover only the beginning of the answer.
    return this.end === "finished" ? reported : atLeast(reported, estimated);
  }

  #estimate(kind: "output" | "reasoning"): number {
    return Math.max(this.#pieces[kind], Math.ceil(this.#written[kind] * this.#factor));
  }

  /** Counts a chunk of the answer. */
  write(text: string, kind: "output" | "reasoning" = "output"): void {
    if (text === "") return;
    this.#said = true;
    this.#pieces[kind] += 1;
    this.#written[kind] += sizeOf(text).tokens;
  }

  /** Counts output that is not text. */
  writeTokens(tokens: number): void {
    this.#said = true;
    this.#written.output += tokens;
  }

  /** Records the total use that the provider reports. Each report replaces the one before. */
  report(use: ReportedUse): void {
    this.#reported = { ...this.#reported, ...withoutGaps(use) };
  }

  /** Ends the call. A call that failed without any output has used nothing. */
  close(end: CallEnd): void {
    if (this.end !== undefined) return;
    this.end = end;
    const { account } = this.#options;
    account.settle(this, end === "failed" && !this.#said ? noUse : this.used);
    if (end === "finished") this.#learn();
  }

  #learn(): void {
    const { estimator, model, prompt } = this.#options;
    if (model === undefined || this.#reported === undefined || !isComplete(this.#reported)) return;
    estimator.learn(model, prompt.tokens, tokensIn(this.#reported.input) ?? 0);
  }
}

/** Returns the reported use, with at least the output that has been received. */
function atLeast(reported: TokenUse, estimated: TokenUse): TokenUse {
  const output = estimated.output + estimated.reasoning - reported.reasoning;
  return { ...reported, output: Math.max(reported.output, output) };
}

function withoutGaps(use: ReportedUse): ReportedUse {
  return Object.fromEntries(
    Object.entries(use).filter(([, tokens]) => tokens !== undefined && tokens !== null),
  );
}
