import { ModelTimeoutError } from "./failure.ts";

/** Calls `fire` after `ms`, unless the returned function is called first. */
export type StartTimer = (ms: number, fire: () => void) => () => void;

/** Starts a timer that does not keep the process alive. */
export const startRealTimer: StartTimer = (ms, fire) => {
  const timer = setTimeout(fire, ms);
  timer.unref();
  return () => clearTimeout(timer);
};

export interface WatchdogLimits {
  /** Milliseconds until the first token of each round, including the connection. */
  firstTokenMs: number;
  /** Milliseconds between two tokens. */
  silenceMs: number;
  /** Milliseconds for the whole answer. */
  totalMs: number;
}

export interface Watchdog {
  /** Aborts with a `ModelTimeoutError` when a limit is exceeded. */
  signal: AbortSignal;
  roundBegins(): void;
  tokenCame(): void;
  /** Call it after a round. While tools run, only the total limit applies. */
  roundEnds(): void;
  answerEnds(): void;
}

/**
 * Enforces an answer's time limits. The SDK's own first-chunk limit starts only after the provider's response head, so
 * a provider that accepts the request and sends nothing would keep the stream open for ever.
 */
export function createWatchdog(limits: WatchdogLimits, startTimer: StartTimer = startRealTimer): Watchdog {
  const controller = new AbortController();
  const expire = (what: string) => () =>
    controller.abort(new ModelTimeoutError(`The model's time limit for ${what} has passed.`));
  const cancelTotal = startTimer(limits.totalMs, expire("the answer"));
  let cancel: () => void = () => {};
  const expect = (ms: number, what: string) => {
    cancel();
    cancel = startTimer(ms, expire(what));
  };
  return {
    signal: controller.signal,
    roundBegins: () => expect(limits.firstTokenMs, "a first token"),
    tokenCame: () => expect(limits.silenceMs, "the next token"),
    roundEnds: () => cancel(),
    answerEnds() {
      cancel();
      cancelTotal();
    },
  };
}
