import { type ComponentProps, type CSSProperties, type ReactNode, useId, useRef } from "react";
import type { Clock } from "../client/index.ts";
import { type NoticeLabels, noticeLabels } from "./labels.ts";
import { useAnnouncements, useLiveText } from "./use-announcements.ts";
import { type Countdown, useCountdown } from "./use-countdown.ts";

/** Props of {@link RateLimitNotice}; whatever else a `div` takes is passed on to it. */
export interface RateLimitNoticeProps extends Omit<ComponentProps<"div">, "children"> {
  /**
   * When sending is possible again: `RateLimitedError.deadline`. Without one, only the live region is rendered; with
   * `Infinity`, for a request that can never be admitted, there is no button.
   */
  deadline: number | null | undefined;
  /** Called by the button, once the deadline has come. While a promise that it returns is pending, not again. */
  onRetry: () => unknown;
  /** Class names of the parts; that of the whole is `className`. */
  classNames?: { message?: string; retry?: string };
  /** Takes the place of the sentence; a function is given the countdown. */
  children?: ReactNode | ((countdown: Countdown) => ReactNode);
  /** Other words for those of `noticeLabels`. */
  labels?: Partial<NoticeLabels>;
  /** At how many seconds before the deadline the rest is announced. Default: 60, 30 and 10. */
  milestones?: readonly number[];
  /**
   * Says a message in a live region that the page already has. Without it the notice renders a region of its own, which
   * works best where the notice is mounted from load, with no deadline at first.
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
 * Shows a person that they were refused and how long to wait, with a button that works from the deadline on.
 *
 * It comes without style. Its parts carry `data-headgate-notice` (with `data-state="waiting"`, `"ready"` or `"never"`),
 * `data-headgate-message`, `data-headgate-retry` and `data-headgate-live`.
 *
 * The visible countdown is no live region. Announcements are polite: on arrival, at milestones, at the end. The button
 * can be focused all along and says by `aria-disabled` that it does not work yet.
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
