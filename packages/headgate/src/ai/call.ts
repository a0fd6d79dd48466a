import type { Account, RunningCall } from "./account.ts";
import type { Estimator } from "./estimate/estimator.ts";
import { corrected } from "./estimate/estimator.ts";
import { sizeOf, type TextSize } from "./estimate/text-tokens.ts";
import { completedUse, isComplete, noUse, type ReportedUse, type TokenUse, tokensIn } from "./usage.ts";

/** How a call of a model ended. `cut`: by Headgate, or by the reader. */
export type CallEnd = "finished" | "failed" | "cut";

export interface CallOptions {
  readonly account: Account;
  readonly estimator: Estimator;
  /** Whose corrections apply to estimates, and are learned. */
  readonly model: string | undefined;
  /** Of everything that is sent. */
  readonly prompt: TextSize;
}

/** One call of a model: an attempt, a step, or a stream of a provider's own client. */
export class Call implements RunningCall {
  readonly #options: CallOptions;
  readonly #input: number;
  readonly #factor: number;
  /** Tokens of the answer before corrections, and the pieces that it came in: each is at least one token. */
  #written = { output: 0, reasoning: 0 };
  #pieces = { output: 0, reasoning: 0 };
  #said = false;
  #reported: ReportedUse | undefined;
  end: CallEnd | undefined;
  /** Reads the rest of its answer, where nobody else does. */
  drain: (() => Promise<void>) | undefined;

  constructor(options: CallOptions) {
    const { account, estimator, model, prompt } = options;
    this.#options = options;
    this.#factor = estimator.factorOf(model);
    this.#input = corrected(prompt, this.#factor);
    account.begin(this);
  }

  /** Whether the model has said anything. */
  get said(): boolean {
    return this.#said;
  }

  /** Whether what it used is an estimate, at least in part. */
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
    // What is reported before the end may know only the beginning.
    return this.end === "finished" ? reported : atLeast(reported, estimated);
  }

  #estimate(kind: "output" | "reasoning"): number {
    return Math.max(this.#pieces[kind], Math.ceil(this.#written[kind] * this.#factor));
  }

  /** A piece of the answer has come. */
  write(text: string, kind: "output" | "reasoning" = "output"): void {
    if (text === "") return;
    this.#said = true;
    this.#pieces[kind] += 1;
    this.#written[kind] += sizeOf(text).tokens;
  }

  /** Something has come that is no text. */
  writeTokens(tokens: number): void {
    this.#said = true;
    this.#written.output += tokens;
  }

  /** What the provider says it used, in totals. The last word counts. */
  report(use: ReportedUse): void {
    this.#reported = { ...this.#reported, ...withoutGaps(use) };
  }

  /**
   * It is over. A call that failed before it said anything has used nothing.
   */
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

/** The output that is known to have come, at least. */
function atLeast(reported: TokenUse, estimated: TokenUse): TokenUse {
  const output = estimated.output + estimated.reasoning - reported.reasoning;
  return { ...reported, output: Math.max(reported.output, output) };
}

function withoutGaps(use: ReportedUse): ReportedUse {
  return Object.fromEntries(
    Object.entries(use).filter(([, tokens]) => tokens !== undefined && tokens !== null),
  );
}
