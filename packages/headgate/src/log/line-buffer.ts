import { inBackgroundBy } from "../core/background.ts";
import type { Clock } from "../core/clock.ts";
import { reasonOf } from "../core/reason.ts";

/** Writes the lines of a log. */
export interface LineWriter {
  /**
   * Writes whole lines, each with its line feed. A write that throws or rejects must not have written anything: the
   * same lines are passed again later.
   *
   * @param head the lines that a new file begins with. A writer that rotates files writes them first.
   */
  write(lines: string, head: () => string): void | Promise<void>;
  close?(): void | Promise<void>;
}

export interface LineBufferOptions {
  readonly writer: LineWriter;
  /** The approximate maximum of characters that wait. */
  readonly mostWaiting: number;
  readonly clock: Pick<Clock, "after">;
  readonly head: () => readonly string[];
  /** Makes the line that reports lost lines, written once there is room again. */
  readonly lost: (lines: number, reason: string | undefined) => string;
  readonly onError: (error: unknown) => void;
}

/** Lines that wait to be written. `add` never waits. */
export interface LineBuffer {
  add(line: string): void;
  /** Resolves once everything added so far is written, or the writer has failed. */
  flush(): Promise<void>;
  readonly waiting: number;
  readonly lost: number;
  readonly written: number;
  close(): Promise<void>;
}

interface Batch {
  text: string;
  lines: number;
}

/** How long lines are collected before they are written, ms: one call per line would be too slow. */
const gatherMs = 50;
/** The pause before a failed write is repeated, ms. */
const retryMs = 1000;
/** About how many characters are written together. */
const mostTogether = 256 * 1024;

export function createLineBuffer(options: LineBufferOptions): LineBuffer {
  const { writer, mostWaiting, clock, head, onError } = options;
  /**
   * The waiting lines, oldest first. Lines are joined as they come, because a list of lines would be cut again and
   * again.
   */
  const batches: Batch[] = [];
  let beingWritten: Batch | undefined;
  let waiting = 0;
  let characters = 0;
  let lost = 0;
  let lostBefore = 0;
  let written = 0;
  let reason: string | undefined;
  let stopTimer: (() => void) | undefined;
  let writing: Promise<void> | undefined;
  let failing = false;
  let closed = false;

  function add(line: string): void {
    // After a loss, accept lines again only at half of the room: otherwise the log would be full of loss reports.
    const most = lostBefore > 0 ? mostWaiting / 2 : mostWaiting;
    if (closed || characters + line.length > most) {
      lost += 1;
      lostBefore += 1;
      return;
    }
    if (lostBefore > 0) {
      push(options.lost(lostBefore, reason));
      lostBefore = 0;
      reason = undefined;
      for (const one of head()) push(one);
    }
    push(line);
    schedule(failing ? retryMs : gatherMs);
  }

  function push(line: string): void {
    const last = batches.at(-1);
    if (last === undefined || last === beingWritten || last.text.length >= mostTogether)
      batches.push({ text: line, lines: 1 });
    else {
      last.text += line;
      last.lines += 1;
    }
    waiting += 1;
    characters += line.length;
  }

  function schedule(ms: number): void {
    if (stopTimer !== undefined || writing !== undefined) return;
    stopTimer = inBackgroundBy(clock, ms, () => {
      stopTimer = undefined;
      writing = pump().finally(() => {
        writing = undefined;
        if (waiting > 0) schedule(failing ? retryMs : gatherMs);
      });
    });
  }

  async function pump(): Promise<void> {
    for (let batch = batches[0]; batch !== undefined; batch = batches[0]) {
      beingWritten = batch;
      try {
        await writer.write(batch.text, () => head().join(""));
      } catch (error) {
        reason = reasonOf(error);
        if (!failing) onError(error);
        failing = true;
        return;
      } finally {
        beingWritten = undefined;
      }
      failing = false;
      batches.shift();
      waiting -= batch.lines;
      characters -= batch.text.length;
      written += batch.lines;
    }
    if (lostBefore === 0) reason = undefined;
  }

  async function flush(): Promise<void> {
    await writing;
    if (waiting === 0) return;
    stopTimer?.();
    stopTimer = undefined;
    writing = pump().finally(() => {
      writing = undefined;
      if (waiting > 0 && !closed) schedule(retryMs);
    });
    await writing;
  }

  return {
    add,
    flush,
    get waiting() {
      return waiting;
    },
    get lost() {
      return lost;
    },
    get written() {
      return written;
    },
    async close() {
      if (closed) return;
      if (lostBefore > 0) {
        push(options.lost(lostBefore, reason));
        lostBefore = 0;
      }
      closed = true;
      await flush();
      lost += waiting;
      await writer.close?.();
    },
  };
}
