import type { Clock } from "headgate";

/** The time of a replay. Moving it runs the due timers, such as the limiter's heartbeat. */
export interface ReplayClock extends Clock {
  moveTo(now: number): void;
}

interface Timer {
  readonly at: number;
  run(): void;
}

export function replayClock(): ReplayClock {
  let now = 0;
  const timers = new Set<Timer>();
  let earliest = Number.POSITIVE_INFINITY;

  function takeFirst(): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of timers) if (first === undefined || timer.at < first.at) first = timer;
    if (first !== undefined) timers.delete(first);
    return first;
  }

  function findEarliest(): void {
    earliest = Number.POSITIVE_INFINITY;
    for (const { at } of timers) earliest = Math.min(earliest, at);
  }

  return {
    now: () => now,
    after(ms, run) {
      const timer = { at: now + ms, run };
      timers.add(timer);
      earliest = Math.min(earliest, timer.at);
      return () => void timers.delete(timer);
    },
    moveTo(moment) {
      while (earliest <= moment) {
        const due = takeFirst();
        // The earliest timer may have been cancelled.
        if (due === undefined || due.at > moment) {
          if (due !== undefined) timers.add(due);
          findEarliest();
          continue;
        }
        findEarliest();
        now = Math.max(now, due.at);
        due.run();
      }
      now = Math.max(now, moment);
    },
  };
}
