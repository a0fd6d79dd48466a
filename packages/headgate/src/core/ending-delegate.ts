import type { Cost } from "./cost.ts";

/** How a response ended. `failed`: with a status from 500. `cut`: before its end, such as by its client. */
export type ResponseEnd = "whole" | "failed" | "cut";

/**
 * Knows what an admission truly used and when its response is over. An adapter that calls `end` without a use only
 * reports that the response is over: the call goes to the delegate.
 */
export interface EndingDelegate {
  /** The total use so far. Heartbeats report it, so that a crash loses only what was used after the last heartbeat. */
  used?(): Cost;
  responseOver(): void | Promise<void>;
  /** Adapters call this just before `responseOver`. */
  responseWas?(how: ResponseEnd): void;
  /** Called at the end of an `await using` block. A bound stream continues. */
  scopeOver(): void | Promise<void>;
}

/** A registered symbol, so that it is the same in each copy of the package. */
export const endingDelegate: unique symbol = Symbol.for("headgate.ending-delegate") as never;
export const responseEnd: unique symbol = Symbol.for("headgate.response-end") as never;

/** Puts `delegate` in charge of ending an admission. Does nothing if the admission does not support delegates. */
export function delegateEnding(admission: object, delegate: EndingDelegate): void {
  (admission as { [endingDelegate]?(delegate: EndingDelegate): void })[endingDelegate]?.(delegate);
}

/** Reports to the delegate of an admission, if it has one, how the response ended. */
export function stateResponseEnd(admission: object, how: ResponseEnd): void {
  (admission as { [responseEnd]?(how: ResponseEnd): void })[responseEnd]?.(how);
}
