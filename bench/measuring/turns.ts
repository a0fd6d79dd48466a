import { setImmediate as nextTurn } from "node:timers/promises";

/** What the event loop of this process did while something ran in many short turns. */
export interface Watched {
  readonly turns: number;
  readonly seconds: number;
  /** The longest that one turn, and what the engine did after it, kept everything else waiting. */
  readonly longestPauseMs: number;
  /**
   * The most processor time that the main thread spent in one turn. On a machine that is busy with other things this
   * tells a pause of the program's own from one in which it was not given the processor.
   */
  readonly longestWorkMs: number;
  readonly peakResidentBytes: number;
}

const turnsBetweenMemorySamples = 500;

/**
 * Runs `turn` until it answers `false`, giving way to the event loop after each, as requests that arrive from a network do. The
 * time from the beginning of one turn to the beginning of the next is what any other request would have waited.
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
