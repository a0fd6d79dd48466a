import { useEffect, useRef, useState } from "react";
import type { NoticeLabels } from "./labels.ts";
import type { Countdown } from "./use-countdown.ts";

/**
 * Announces a countdown on arrival, at milestones and at the end, but not each second. If several milestones passed
 * since the last render, for example during sleep, it announces only the remaining time.
 *
 * @param milestones whole seconds before the deadline, in any order.
 */
export function useAnnouncements(
  deadline: number | null | undefined,
  { seconds, done }: Countdown,
  milestones: readonly number[],
  words: NoticeLabels,
  announce: (message: string) => void,
): void {
  const said = useRef<{ deadline: number; seconds: number }>(undefined);

  // Runs after every render and does nothing until a milestone has passed. A dependency list cannot express that.
  useEffect(() => {
    if (deadline == null || (!seconds && !done)) return;
    const before = said.current?.deadline === deadline ? said.current.seconds : undefined;
    said.current = { deadline, seconds };
    if (before === seconds) return;
    // The effect must not return the result of announce().
    if (done) announce(words.ready);
    else if (deadline === Infinity) announce(words.never);
    else if (before === undefined) announce(words.arrival(seconds));
    else if (milestones.some((mark) => before > mark && mark >= seconds)) announce(words.milestone(seconds));
  });
}

/**
 * The delay in milliseconds before the text is set. A screen reader announces changes in a live region, but may miss
 * text that is there from the start.
 */
const settleMs = 150;

/**
 * Returns the text of the notice's own live region, which stays empty for `settleMs`, and a function that sets the
 * text.
 */
export function useLiveText(): [text: string, announce: (message: string) => void] {
  const [message, announce] = useState("");
  const [text, setText] = useState("");
  useEffect(() => {
    const timer = setTimeout(setText, settleMs, message);
    return () => clearTimeout(timer);
  }, [message]);
  return [text, announce];
}
