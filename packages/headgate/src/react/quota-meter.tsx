import type { ComponentProps, CSSProperties, ReactNode } from "react";
import type { LimitQuota } from "../client/index.ts";
import { usedOf } from "./quota-at.ts";

/** Props of {@link QuotaMeter}. Other props are passed to the `div`. */
export interface QuotaMeterProps extends Omit<ComponentProps<"div">, "children"> {
  /** The limit to show, such as `useRateLimit(client).tightest`. */
  limit: LimitQuota | null | undefined;
  /** The used share of the quota from which the meter is shown, from 0 (always) to 1. Default: 0.8. */
  from?: number;
  /** The accessible name of the meter. Default: "Quota used". */
  label?: string;
  /** Returns the value as text, visible and for screen readers. Default: "4 of 5 used". */
  valueText?: (used: number, limit: LimitQuota & { quota: number }) => string;
  /** Replaces the visible text, but not the text for screen readers. */
  children?: ReactNode;
}

/**
 * Shows how much of a limit is used. Renders nothing below `from`, or while the quota is not known.
 *
 * It has no styles. Its parts have the attributes `data-headgate-meter`, `data-headgate-meter-fill` and
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
    // biome-ignore lint/a11y/useSemanticElements: browsers style a meter element differently
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
