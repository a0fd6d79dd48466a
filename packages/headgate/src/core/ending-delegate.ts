import type { Cost } from "./cost.ts";

/**
 * Who knows what an admission truly used, and when its response is over. An `end` that states no use is passed on to it: an
 * adapter says with it that the response is over.
 */
export interface EndingDelegate {
  /** What was used so far, in all: heartbeats state it, so that a crash forgets no more than what came after the last. */
  used?(): Cost;
  responseOver(): void | Promise<void>;
  /** The scope of an `await using` is over. A stream that was bound runs on. */
  scopeOver(): void | Promise<void>;
}

/** The same symbol in each copy of the package. */
export const endingDelegate: unique symbol = Symbol.for("headgate.ending-delegate") as never;

/** Puts `delegate` in charge of the end of an admission. One that does not know of delegates is left as it is. */
export function delegateEnding(admission: object, delegate: EndingDelegate): void {
  (admission as { [endingDelegate]?(delegate: EndingDelegate): void })[endingDelegate]?.(delegate);
}
