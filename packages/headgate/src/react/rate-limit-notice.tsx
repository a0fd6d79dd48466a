import { type ComponentProps, type CSSProperties, type ReactNode, useId, useRef } from "react";
import type { Clock } from "../client/index.ts";
import { type NoticeLabels, noticeLabels } from "./labels.ts";
import { useAnnouncements, useLiveText } from "./use-announcements.ts";
import { type Countdown, useCountdown } from "./use-countdown.ts";

/** Props of {@link RateLimitNotice}. Other props are passed to the `div`. */
export interface RateLimitNoticeProps extends Omit<ComponentProps<"div">, "children"> {
  /**
   * When sending is possible again: `RateLimitedError.deadline`. Without one, only the live region is rendered; with
   * `Infinity`, for a request that can never be admitted, there is no button.
   */
  deadline: number | null | undefined;
  /**
   * Called when the button is pressed after the deadline. Not called again while the promise that it returned is
   * pending.
   */
  onRetry: () => unknown;
  /** Class names of the parts. Use `className` for the whole notice. */
  classNames?: { message?: string; retry?: string };
  /** Replaces the visible sentence. A function receives the countdown. */
  children?: ReactNode | ((countdown: Countdown) => ReactNode);
  /** Replaces texts of `noticeLabels`. */
  labels?: Partial<NoticeLabels>;
  /** When to announce the remaining time, in seconds before the deadline. Default: 60, 30 and 10. */
  milestones?: readonly number[];
  /**
   * Announces a message in a live region that the page already has. Default: the notice renders its own live region. A
   * live region works best if the notice is mounted at page load, before it has a deadline.
   */
  announce?: (message: string) => void;
  /** Default: the system's clock. */
  clock?: Clock;
}

const visuallyHidden: CSSProperties = {
  position: "absolute",
  width: 1,
  height: 1,
  overflow: "hidden",
  clipPath: "inset(50%)",
  whiteSpace: "nowrap",
};

/**
 * Tells users that a request was refused and how long to wait, with a button that works after the deadline.
 *
 * It has no styles. Its parts have the attributes `data-headgate-notice` (with `data-state="waiting"`, `"ready"` or
 * `"never"`), `data-headgate-message`, `data-headgate-retry` and `data-headgate-live`.
 *
 * The visible countdown is not a live region. Announcements are polite: on arrival, at milestones and at the end. The
 * button can always be focused, and has `aria-disabled` until the deadline has passed.
 */
export function RateLimitNotice(props: RateLimitNoticeProps) {
  const {
    deadline,
    onRetry,
    children,
    classNames,
    labels,
    milestones = [60, 30, 10],
    announce,
    clock,
    ...rest
  } = props;
  const words = { ...noticeLabels, ...labels };
  const countdown = useCountdown(deadline, clock && { clock });
  const [liveText, announceHere] = useLiveText();
  const say = announce ?? announceHere;
  const messageId = useId();
  const pending = useRef(false);
  useAnnouncements(deadline, countdown, milestones, words, say);

  async function retry(): Promise<void> {
    if (!countdown.done) return say(words.milestone(countdown.seconds));
    if (pending.current) return;
    pending.current = true;
    try {
      await onRetry();
    } finally {
      pending.current = false;
    }
  }

  const isEndless = deadline === Infinity;
  const waiting = isEndless ? words.never : words.waiting(countdown.seconds);
  const sentence = countdown.done ? words.ready : waiting;
  return (
    <>
      {!announce && (
        <div role="status" data-headgate-live="" style={visuallyHidden}>
          {liveText}
        </div>
      )}
      {deadline != null && (
        // biome-ignore lint/a11y/useSemanticElements: a fieldset is for the fields of a form
        <div
          role="group"
          aria-label={words.title}
          data-headgate-notice=""
          data-state={countdown.done ? "ready" : isEndless ? "never" : "waiting"}
          {...rest}
        >
          <div id={messageId} className={classNames?.message} data-headgate-message="">
            {typeof children === "function" ? children(countdown) : (children ?? sentence)}
          </div>
          {!isEndless && (
            <button
              type="button"
              className={classNames?.retry}
              data-headgate-retry=""
              aria-describedby={messageId}
              aria-disabled={!countdown.done}
              onClick={retry}
            >
              {words.retry}
            </button>
          )}
        </div>
      )}
    </>
  );
}
