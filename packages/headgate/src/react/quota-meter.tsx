import type { ComponentProps, CSSProperties, ReactNode } from "react";
import type { LimitQuota } from "../client/index.ts";
import { usedOf } from "./quota-at.ts";

/** Props of {@link QuotaMeter}; whatever else a `div` takes is passed on to it. */
export interface QuotaMeterProps extends Omit<ComponentProps<"div">, "children"> {
  /** What to show: `useRateLimit(client).tightest`. */
  limit: LimitQuota | null | undefined;
  /** The used share from which on the meter is shown, from 0 (always) to 1. Default: 0.8. */
  from?: number;
  /** Names the meter. Default: "Quota used". */
  label?: string;
  /** The value in words, seen and read out. Default: "4 of 5 used". */
  valueText?: (used: number, limit: LimitQuota & { quota: number }) => string;
  /** Takes the place of the words that are seen; those that are read out stay. */
  children?: ReactNode;
}

/**
 * A quiet meter of how much of a limit is used. Renders nothing until that is much, or while it is not known.
 *
 * It comes without style. Its parts carry `data-headgate-meter`, `data-headgate-meter-fill` and
 * `data-headgate-meter-text`; the used share is in the style property `--headgate-used-share`, from 0 to 1.
 */
export function QuotaMeter(props: QuotaMeterProps) {
  const { limit, from = 0.8, label = "Quota used", valueText = inNumbers, children, style, ...rest } = props;
  const quota = limit?.quota;
  if (!limit || !quota) return null;
  const used = usedOf(limit);
  if (used / quota < from) return null;
  const text = valueText(used, { ...limit, quota });
  return (
    // biome-ignore lint/a11y/useSemanticElements: the style of a meter element differs from browser to browser
    <div
      role="meter"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={quota}
      aria-valuenow={used}
      aria-valuetext={text}
      data-headgate-meter=""
      style={{ ...style, "--headgate-used-share": used / quota } as CSSProperties}
      {...rest}
    >
      <span data-headgate-meter-fill="" />
      <span data-headgate-meter-text="">{children ?? text}</span>
    </div>
  );
}

function inNumbers(used: number, limit: { quota: number }): string {
  return `${used} of ${limit.quota} used`;
}
