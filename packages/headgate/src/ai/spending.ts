import type { Admitted } from "../core/admission.ts";
import { processWide } from "../core/copies.ts";
import { delegateEnding, type ResponseEnd } from "../core/ending-delegate.ts";
import { Account, type AccountOptions, lowWaterMark } from "./account.ts";
import { Call } from "./call.ts";
import type { Estimator } from "./estimate/estimator.ts";
import type { TextSize } from "./estimate/text-tokens.ts";
import type { MeterEnd, MeterEndReason } from "./meter-end.ts";
import { type MeterNews, newsOf } from "./news.ts";

export interface SpendingOptions extends AccountOptions {
  readonly answerTokens: number;
  readonly promptTokens: number | undefined;
  readonly onHangUp: "abort" | "drain";
  readonly drainMs: number;
  readonly silenceMs: number | undefined;
  readonly estimator: Estimator;
}

/** The maximum number of answers that are drained at the same time. Further answers are aborted. */
const mostDraining = 1000;
const draining = /* @__PURE__ */ processWide("draining", () => new Set<object>());

/** One response and its model calls, from the admission to the end. */
export class Spending {
  readonly account: Account;
  readonly options: SpendingOptions;
  readonly #abort = new AbortController();
  readonly #heldAtFirst: number;
  readonly ended: Promise<MeterEnd>;
  #conclude!: (end: MeterEnd) => void;
  #isOver = false;
  #isGone = false;
  #isTimedOut = false;
  #isOutOfBudget = false;
  #isEstimated = false;
  /** Whether any part of an answer has been passed on. */
  #served = false;
  #last: Call | undefined;
  /** What ends the spending: a stream that is read to its end, or a response that reports its own end. */
  #binding: "stream" | "response" | undefined;
  #drain: ReturnType<typeof setTimeout> | undefined;
  /** Whether calls of the model pass through the meter. */
  #seesCalls = false;
  /**
   * Whether the signal was read for a provider's own client. The meter does not see that client's call until its stream
   * is bound.
   */
  #isSignalTaken = false;
  #response: ResponseEnd = "whole";

  constructor(admission: Admitted, options: SpendingOptions) {
    this.options = options;
    this.account = new Account(admission, options);
    this.#heldAtFirst = admission.granted[options.unit] ?? 0;
    this.ended = new Promise((resolve) => {
      this.#conclude = resolve;
    });
    delegateEnding(admission, {
      used: () => this.account.cost,
      responseWas: (how) => {
        this.#response = how;
      },
      responseOver: () => this.#responseOver(),
      scopeOver: () => (this.#binding === undefined ? this.over().then(() => {}) : undefined),
    });
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Returns the signal for a provider's own client, and records that it was read. */
  takeSignal(): AbortSignal {
    this.#isSignalTaken = true;
    return this.signal;
  }

  /** Called for each metered model. */
  seesCalls(): void {
    this.#seesCalls = true;
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  get isTimedOut(): boolean {
    return this.#isTimedOut;
  }

  /** The prompt tokens of a stream from a provider's own client: the meter does not see that prompt. */
  get promptTokens(): number {
    return this.options.promptTokens ?? Math.max(0, this.#heldAtFirst - this.options.chunk);
  }

  news(): MeterNews {
    return newsOf(this.account, this.#isOutOfBudget);
  }

  /** @param isCounted whether the tokens of the stream are counted */
  bound(by: "stream" | "response", isCounted = true): void {
    this.#binding = by;
    if (!isCounted) this.#isSignalTaken = false;
  }

  /**
   * Begins a call of a model, if it is affordable.
   *
   * @param output tokens of the answer to hold ahead.
   * @param enough the hold is not extended if it covers this many tokens of the answer.
   * @throws the signal's reason if the response is over.
   */
  async begin(
    model: string | undefined,
    prompt: TextSize,
    output = this.options.chunk,
    enough = lowWaterMark(this.options.chunk),
  ): Promise<Call | undefined> {
    this.signal.throwIfAborted();
    if (this.#isOver) throw new DOMException("The response of this meter is over.", "AbortError");
    const { account } = this;
    const call = new Call({ account, estimator: this.options.estimator, model, prompt });
    const isAffordable = await account.secure(output, enough);
    if (this.signal.aborted || !isAffordable) {
      account.settleNothing(call);
      this.signal.throwIfAborted();
      this.outOfBudget();
      return undefined;
    }
    this.#last = call;
    return call;
  }

  /** Ends a call and reports its use immediately. */
  async callOver(call: Call, how: "finished" | "failed" | "cut"): Promise<void> {
    this.#closeCall(call, how);
    await this.account.report();
  }

  #closeCall(call: Call, how: "finished" | "failed" | "cut"): void {
    if (call.end !== undefined) return;
    call.close(how);
    // A call that was cut off has been sent.
    if (call.said || how !== "failed") this.#served = true;
    if (how !== "failed" || call.said) this.#isEstimated ||= how !== "finished" || call.isEstimated;
  }

  outOfBudget(): void {
    this.#isOutOfBudget = true;
  }

  /** Aborts because the model was silent for too long. */
  timedOut(): void {
    if (this.#isOver) return;
    this.#isTimedOut = true;
    this.#abort.abort(
      new DOMException(`The model sent nothing for ${this.options.silenceMs} ms.`, "TimeoutError"),
    );
  }

  /**
   * Called when the client has left. With `drain`, the response is read further, up to `drainMs`, to learn its true
   * use.
   */
  gone(): Promise<void> {
    if (this.#isOver || this.#isGone) return Promise.resolve();
    this.#isGone = true;
    if (this.options.onHangUp === "drain" && draining.size < mostDraining) {
      draining.add(this);
      this.#drain = setTimeout(() => void this.#stop(), this.options.drainMs);
      (this.#drain as { unref?(): void }).unref?.();
      if (this.#binding !== "stream" && !this.#isUnseen) void this.#drainCalls();
      return Promise.resolve();
    }
    return this.#stop();
  }

  /** Reads the running calls of a closed response to their ends, because it has no reader. */
  async #drainCalls(): Promise<void> {
    try {
      await Promise.all([...this.account.running].map((call) => (call as Call).drain?.()));
    } catch {
      // The failure is already recorded as the end of the call.
    }
    await this.over();
  }

  /** Whether to read the rest of the answer although the client has left. */
  get drains(): boolean {
    return this.#drain !== undefined && !this.#isOver;
  }

  async #stop(): Promise<void> {
    this.#abort.abort(new DOMException("The client has gone.", "AbortError"));
    await this.over();
  }

  /** Called by an adapter when its response is over. If a stream is still running, its reader has left. */
  #responseOver(): void {
    if (this.#binding === "response") return;
    const isCut = this.#binding === "stream" || this.#isRunning || this.#response === "cut";
    void (isCut ? this.gone() : this.over(this.#response === "failed"));
  }

  /** Whether the only possible call is one by a provider's own client of which nothing was read. */
  get #isUnseen(): boolean {
    return !this.#seesCalls && this.#last === undefined;
  }

  /**
   * Charges the prompt of a call that got the signal before its client left. If the signal was not read, only the
   * request is charged. With a bound Node response nothing is charged: it is certainly served by metered models.
   */
  #chargeUnseen(): void {
    if (!this.#isSignalTaken) {
      this.#served ||= this.#binding !== "response";
      return;
    }
    const { account, options, promptTokens: tokens } = this;
    const { estimator } = options;
    const call = new Call({ account, estimator, model: undefined, prompt: { tokens, bytes: tokens } });
    this.#closeCall(call, "cut");
  }

  get #isRunning(): boolean {
    return this.#last !== undefined && this.#last.end === undefined;
  }

  /**
   * Ends the response.
   *
   * @param hasFailed whether the response itself failed, independently of its calls.
   */
  over(hasFailed = false): Promise<MeterEnd> {
    if (!this.#isOver) {
      this.#isOver = true;
      void this.#end(hasFailed);
    }
    return this.ended;
  }

  async #end(hasFailed: boolean): Promise<void> {
    if (this.#drain !== undefined) {
      clearTimeout(this.#drain);
      this.#drain = undefined;
      draining.delete(this);
    }
    const how = this.#how(hasFailed);
    if (how === "gone" && !hasFailed && this.#isUnseen) this.#chargeUnseen();
    for (const call of this.account.running as Iterable<Call>)
      this.#closeCall(call, how === "timed-out" || how === "failed" ? "failed" : "cut");
    const { used, refused } = this.account;
    const charged = await this.account.end(this.#served || how === "finished");
    this.#conclude({
      how,
      used,
      charged,
      estimated: this.#isEstimated,
      refused: how === "budget" ? refused : undefined,
    });
    // Stop calls that are still running: no admission pays for them now.
    this.#abort.abort(new DOMException("The response of this meter is over.", "AbortError"));
  }

  #how(hasFailed: boolean): MeterEndReason {
    if (this.#isTimedOut) return "timed-out";
    if (this.#isGone) return "gone";
    if (this.#isOutOfBudget) return "budget";
    return hasFailed || this.#last?.end === "failed" ? "failed" : "finished";
  }
}
