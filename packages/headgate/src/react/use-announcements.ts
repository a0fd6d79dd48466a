import { useEffect, useRef, useState } from "react";
import type { Countdown } from "./use-countdown.ts";

/** What is said, and where a countdown is between two announcements. */
export interface Announcements {
  deadline: number | null | undefined;
  countdown: Countdown;
  /** Whole seconds before the deadline, in any order. */
  milestones: readonly number[];
  words: {
    ready: string;
    never: string;
    arrival: (seconds: number) => string;
    milestone: (seconds: number) => string;
  };
  announce: (message: string) => void;
}

/**
 * Says a countdown aloud: on arrival, at milestones and at the end, and never each second. Of several milestones that
 * passed at once, as after a sleep, only the time that is really left is said.
 */
export function useAnnouncements({ deadline, countdown, milestones, words, announce }: Announcements): void {
  const said = useRef<{ deadline: number; seconds: number }>(undefined);
  const { seconds, done } = countdown;

  // Runs after every render, and does nothing unless time has passed a mark: no list of dependencies can say that.
  useEffect(() => {
    if (deadline == null || (!seconds && !done)) return;
    const before = said.current?.deadline === deadline ? said.current.seconds : undefined;
    said.current = { deadline, seconds };
    if (before === seconds) return;
    // Whatever announce() returns must not become what the effect returns.
    if (done) announce(words.ready);
    else if (seconds === Number.POSITIVE_INFINITY) announce(words.never);
    else if (before === undefined) announce(words.arrival(seconds));
    else if (milestones.some((mark) => before > mark && mark >= seconds)) announce(words.milestone(seconds));
  });
}

/** A screen reader notices what changes in a live region, and may miss what was there when the region came. */
const settleMs = 150;

/** The text of a live region of one's own, empty until the region has been seen by screen readers. */
export function useLiveText(): [text: string, announce: (message: string) => void] {
  const [text, setText] = useState("");
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  function announce(message: string): void {
    clearTimeout(timer.current);
    timer.current = setTimeout(setText, settleMs, message);
  }
  return [text, announce];
}
