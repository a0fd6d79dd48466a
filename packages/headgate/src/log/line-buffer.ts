import { inBackgroundBy } from "../core/background.ts";
import type { Clock } from "../core/clock.ts";
import { reasonOf } from "../core/reason.ts";

/** Where lines go. */
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
  /** About how many characters may wait. */
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

/** How long lines are collected before they are written, ms: one call per line would be too slow. */
const gatherMs = 50;
/** The pause before a failed write is repeated, ms. */
const retryMs = 1000;
/** About how many characters are written together. */
const mostTogether = 256 * 1024;

export function createLineBuffer(options: LineBufferOptions): LineBuffer {
  const { writer, mostWaiting, clock, head, onError } = options;
  let lines: string[] = [];
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
    lines.push(line);
    characters += line.length;
  }

  function schedule(ms: number): void {
    if (stopTimer !== undefined || writing !== undefined) return;
    stopTimer = inBackgroundBy(clock, ms, () => {
      stopTimer = undefined;
      writing = pump().finally(() => {
        writing = undefined;
        if (lines.length > 0) schedule(failing ? retryMs : gatherMs);
      });
    });
  }

  function takeSome(): { count: number; size: number } {
    let count = 0;
    let size = 0;
    while (count < lines.length && (count === 0 || size < mostTogether)) {
      size += (lines[count] as string).length;
      count += 1;
    }
    return { count, size };
  }

  async function pump(): Promise<void> {
    while (lines.length > 0) {
      const { count, size } = takeSome();
      try {
        await writer.write(lines.slice(0, count).join(""), () => head().join(""));
      } catch (error) {
        reason = reasonOf(error);
        if (!failing) onError(error);
        failing = true;
        return;
      }
      failing = false;
      lines = lines.slice(count);
      characters -= size;
      written += count;
    }
    if (lostBefore === 0) reason = undefined;
  }

  async function flush(): Promise<void> {
    await writing;
    if (lines.length === 0) return;
    stopTimer?.();
    stopTimer = undefined;
    writing = pump().finally(() => {
      writing = undefined;
      if (lines.length > 0 && !closed) schedule(retryMs);
    });
    await writing;
  }

  return {
    add,
    flush,
    get waiting() {
      return lines.length;
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
      lost += lines.length;
      await writer.close?.();
    },
  };
}
