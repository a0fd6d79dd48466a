import { observable, useObservable } from "./observable.ts";

const spoken = observable<{ text: string; turn: number }>({ text: "", turn: 0 });

/** Announces a sentence to screen readers, politely. A repeated sentence is announced again. */
export function announce(text: string): void {
  spoken.set(({ turn }) => ({ text, turn: turn + 1 }));
}

/**
 * The page's live regions. They are in the document from the start, because most screen readers ignore a region that is
 * mounted together with its text. Two regions take turns, so that a repeated sentence is a change.
 */
export function Announcer() {
  const { text, turn } = useObservable(spoken);
  return (
    <div className="sr-only" data-testid="announcer">
      {/* An odd and an even region. */}
      <div role="status" aria-live="polite" aria-atomic="true">
        {turn % 2 === 1 ? text : ""}
      </div>
      <div role="status" aria-live="polite" aria-atomic="true">
        {turn % 2 === 0 ? text : ""}
      </div>
    </div>
  );
}
