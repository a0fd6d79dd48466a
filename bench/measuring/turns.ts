import { setImmediate as nextTurn } from "node:timers/promises";

/** Measurements of the event loop during many short turns. */
export interface Watched {
  readonly turns: number;
  readonly seconds: number;
  /** The longest time that one turn, with the engine's work after it, blocked everything else. */
  readonly longestPauseMs: number;
  /**
   * The most processor time that the main thread spent in one turn. On a busy machine, this distinguishes the program's
   * own pauses from times without the processor.
   */
  readonly longestWorkMs: number;
  readonly peakResidentBytes: number;
}

const turnsBetweenMemorySamples = 500;

/**
 * Runs `turn` until it returns `false`, and yields to the event loop after each turn, like requests from a network. The
 * time from one turn to the next is how long any other request would have waited.
 */
export async function watchTurns(turn: (index: number) => boolean | Promise<boolean>): Promise<Watched> {
  let longestPauseMs = 0;
  let longestWorkMs = 0;
  let peakResidentBytes = 0;
  let turns = 0;
  await nextTurn();
  const startedMs = performance.now();
  let turnBeganMs = startedMs;
  let workedMs = threadMs();
  for (let goesOn = true; goesOn; turns += 1) {
    const answered = turn(turns);
    goesOn = typeof answered === "boolean" ? answered : await answered;
    if (turns % turnsBetweenMemorySamples === 0) {
      peakResidentBytes = Math.max(peakResidentBytes, process.memoryUsage.rss());
    }
    await nextTurn();
    const nowMs = performance.now();
    longestPauseMs = Math.max(longestPauseMs, nowMs - turnBeganMs);
    turnBeganMs = nowMs;
    const nowWorkedMs = threadMs();
    longestWorkMs = Math.max(longestWorkMs, nowWorkedMs - workedMs);
    workedMs = nowWorkedMs;
  }
  const seconds = (performance.now() - startedMs) / 1000;
  return { turns, seconds, longestPauseMs, longestWorkMs, peakResidentBytes };
}

function threadMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}
