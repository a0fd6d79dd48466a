import { useEffect, useRef, useState } from "react";
import type { NoticeLabels } from "./labels.ts";
import type { Countdown } from "./use-countdown.ts";

/**
 * Says a countdown aloud: on arrival, at milestones and at the end, and never each second. Of several milestones that
 * passed at once, as after a sleep, only the time that is really left is said.
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

  // Runs after every render, and does nothing unless time has passed a mark: no list of dependencies can say that.
  useEffect(() => {
    if (deadline == null || (!seconds && !done)) return;
    const before = said.current?.deadline === deadline ? said.current.seconds : undefined;
    said.current = { deadline, seconds };
    if (before === seconds) return;
    // Whatever announce() returns must not become what the effect returns.
    if (done) announce(words.ready);
    else if (deadline === Infinity) announce(words.never);
    else if (before === undefined) announce(words.arrival(seconds));
    else if (milestones.some((mark) => before > mark && mark >= seconds)) announce(words.milestone(seconds));
  });
}

/** A screen reader notices what changes in a live region, and may miss what was there when the region came. */
const settleMs = 150;

/** The text of a separate live region, empty until screen readers have seen the region. */
export function useLiveText(): [text: string, announce: (message: string) => void] {
  const [message, announce] = useState("");
  const [text, setText] = useState("");
  useEffect(() => {
    const timer = setTimeout(setText, settleMs, message);
    return () => clearTimeout(timer);
  }, [message]);
  return [text, announce];
}
