import type { TextStreamPart, ToolSet } from "ai";
import { EmptyAnswerError, ModelTimeoutError } from "./failure.ts";
import { type StartTimer, startRealTimer } from "./watchdog.ts";

/** How an answer began. `stopped`: the caller aborted or stopped reading before anything arrived. */
export type Beginning = { kind: "started" } | { kind: "stopped" } | { kind: "failed"; error: unknown };

export interface Opening<TOOLS extends ToolSet> {
  /** `undefined` if nothing had arrived by the end of the wait: then see `beginning`. */
  known: Beginning | undefined;
  /**
   * The same parts in the same order as the given stream, including those already read. It never errors: a broken
   * stream ends with an `error` part.
   */
  stream: ReadableStream<TextStreamPart<TOOLS>>;
  /** Resolves once the first token, or a failure before it, has been read. Never rejects. */
  beginning: Promise<Beginning>;
}

export interface FirstTokenOptions {
  /** Milliseconds to wait before the stream is returned undecided. Default 10,000. */
  waitMs?: number;
  /** The caller's signal, which distinguishes a stop from a time-out. */
  abortSignal?: AbortSignal | undefined;
  startTimer?: StartTimer;
}

const defaultWaitMs = 10_000;

function beginningShownBy<TOOLS extends ToolSet>(
  part: TextStreamPart<TOOLS>,
  abortSignal: AbortSignal | undefined,
): Beginning | undefined {
  switch (part.type) {
    case "text-delta":
    case "reasoning-delta":
      return part.text.length > 0 ? { kind: "started" } : undefined;
    case "tool-input-start":
    case "tool-input-delta":
    case "tool-call":
    case "file":
      return { kind: "started" };
    case "error":
      // A model that is stopped may report that as its failure.
      return abortSignal?.aborted ? { kind: "stopped" } : { kind: "failed", error: part.error };
    case "abort":
      return abortSignal?.aborted
        ? { kind: "stopped" }
        : {
            kind: "failed",
            error: new ModelTimeoutError(part.reason ?? "The model's time limit has passed."),
          };
    case "finish":
      return { kind: "failed", error: new EmptyAnswerError("The model ended without any text.") };
    default:
      return undefined;
  }
}

/**
 * Waits until an answer has begun or failed, so that a failure can still have its own HTTP status, and returns the
 * complete stream. The wait is limited: the stream of a slow model is returned undecided.
 * @param stream `streamText(…).stream`, which this function reads
 */
export async function firstToken<TOOLS extends ToolSet>(
  stream: ReadableStream<TextStreamPart<TOOLS>>,
  { waitMs = defaultWaitMs, abortSignal, startTimer = startRealTimer }: FirstTokenOptions = {},
): Promise<Opening<TOOLS>> {
  const reader = stream.getReader();
  const held: TextStreamPart<TOOLS>[] = [];
  let resolve: (found: Beginning) => void = () => {};
  const beginning = new Promise<Beginning>((resolveBeginning) => {
    resolve = resolveBeginning;
  });
  let known: Beginning | undefined;
  let ended = false;
  let reading: Promise<void> | undefined;

  const settle = (found: Beginning | undefined) => {
    if (found === undefined || known !== undefined) return;
    known = found;
    resolve(found);
  };
  const readOne = async () => {
    try {
      const { done, value } = await reader.read();
      if (done) {
        ended = true;
        settle(
          abortSignal?.aborted
            ? { kind: "stopped" }
            : { kind: "failed", error: new EmptyAnswerError("The model ended without any text.") },
        );
        return;
      }
      held.push(value);
      settle(beginningShownBy(value, abortSignal));
    } catch (error) {
      ended = true;
      held.push({ type: "error", error });
      settle(abortSignal?.aborted ? { kind: "stopped" } : { kind: "failed", error });
    }
  };
  /** Reads one part at a time. A read that outlasts the wait is continued, not repeated. */
  const read = () => {
    reading ??= readOne().finally(() => {
      reading = undefined;
    });
    return reading;
  };

  let timeIsUp = false;
  let cancelTimer: () => void = () => {};
  const waited = new Promise<void>((resolveWait) => {
    cancelTimer = startTimer(waitMs, () => {
      timeIsUp = true;
      resolveWait();
    });
  });
  while (known === undefined && !timeIsUp) await Promise.race([read(), waited]);
  cancelTimer();

  const same = new ReadableStream<TextStreamPart<TOOLS>>(
    {
      async pull(controller) {
        while (held.length === 0 && !ended) await read();
        const part = held.shift();
        if (part !== undefined) controller.enqueue(part);
        else controller.close();
      },
      async cancel(reason) {
        settle({ kind: "stopped" });
        await reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
  return { known, stream: same, beginning };
}
