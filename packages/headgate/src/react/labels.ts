/** Formats a wait for reading: `42 s`, `2 min 5 s`, `1 h 10 min`. The wait is in whole seconds from 0 up. */
export function shortWait(seconds: number): string {
  return wait(seconds, [" h", " min", " s"], "");
}

/**
 * Formats a wait for screen readers: `42 seconds`, `2 minutes 5 seconds`, `1 hour 10 minutes`. The wait is in whole
 * seconds from 0 up.
 */
export function spokenWait(seconds: number): string {
  return wait(seconds, [" hour", " minute", " second"], "s");
}

/** Shows at most two units: next to hours, seconds do not matter. */
function wait(seconds: number, units: string[], plural: string): string {
  const hours = Math.floor(seconds / 3600);
  const counts = [hours, Math.floor(seconds / 60) % 60, hours ? 0 : seconds % 60];
  const parts = counts.map((count, index) => count && `${count}${units[index]}${count > 1 ? plural : ""}`);
  return parts.filter(Boolean).join(" ") || `0${units[2]}${plural}`;
}

/** The texts of a {@link RateLimitNotice}. */
export interface NoticeLabels {
  /** The accessible name of the notice. */
  title: string;
  /** The sentence while there is a wait. */
  waiting: (seconds: number) => string;
  /** The sentence once sending is possible again. It is also announced. */
  ready: string;
  /** The sentence and announcement if no wait helps, because the request asks for more than the limit ever allows. */
  never: string;
  /** The text of the button. */
  retry: string;
  /** Announced when the notice arrives. */
  arrival: (seconds: number) => string;
  /** Announced at each milestone. */
  milestone: (seconds: number) => string;
}

/** British English. */
export const noticeLabels: NoticeLabels = {
  title: "Sending is paused",
  waiting: (seconds) => `You're sending messages a bit fast. Please wait ${shortWait(seconds)}.`,
  ready: "You can send again now.",
  never: "This message is too large to be sent.",
  retry: "Send again",
  arrival: (seconds) => `You're sending messages a bit fast. Please wait ${spokenWait(seconds)}.`,
  milestone: (seconds) => `You can send again in ${spokenWait(seconds)}.`,
};
