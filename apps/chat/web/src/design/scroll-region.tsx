import type { ReactNode, Ref } from "react";

interface ScrollRegionProps {
  /** What scrolls, for screen readers. */
  label: string;
  className: string;
  children: ReactNode;
  ref?: Ref<HTMLElement>;
}

/** A part of the page that scrolls by itself. It can be focused, since without that no keyboard could scroll it. */
export function ScrollRegion({ label, className, children, ref }: ScrollRegionProps) {
  const focusable = { tabIndex: 0 };
  return (
    <section ref={ref} aria-label={label} className={className} {...focusable}>
      {children}
    </section>
  );
}
