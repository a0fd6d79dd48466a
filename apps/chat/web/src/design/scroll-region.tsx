import type { ReactNode, Ref } from "react";

interface ScrollRegionProps {
  /** The label for screen readers. */
  label: string;
  className: string;
  children: ReactNode;
  ref?: Ref<HTMLElement>;
}

/** A scrollable region. It can be focused, so that it can be scrolled by keyboard. */
export function ScrollRegion({ label, className, children, ref }: ScrollRegionProps) {
  const focusable = { tabIndex: 0 };
  return (
    <section ref={ref} aria-label={label} className={className} {...focusable}>
      {children}
    </section>
  );
}
