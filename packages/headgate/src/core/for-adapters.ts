import type { Admission } from "./admission.ts";

/** What adapters need of a limiter, and users do not. */
export interface ForAdapters {
  /**
   * Decides a request whose caller could not be identified: all such requests share one partition in each layer, so that
   * a fault neither opens the gate nor closes it. In layers with plans they have the default plan.
   *
   * @throws HeadgateError `limiter-closed`
   */
  admitUnidentified(): Admission | Promise<Admission>;
  /** Hands a fault of the guard's own to `onError`: it must not reach the endpoint. */
  report(error: unknown): void;
}

/** Registered, so that a limiter of one copy of this package works with an adapter of another. */
export const forAdapters: unique symbol = Symbol.for("headgate.for-adapters") as never;

/** Whether a value is a limiter that `createLimiter` has made, or one spread from it. */
export function isLimiter(value: unknown): value is object {
  return typeof value === "object" && value !== null && "admit" in value && forAdapters in value;
}

/** @param limiter has passed `isLimiter`. */
export function admitUnidentified(limiter: object): Admission | Promise<Admission> {
  return roomOf(limiter).admitUnidentified();
}

/** @param limiter has passed `isLimiter`. */
export function reportTo(limiter: object, error: unknown): void {
  roomOf(limiter).report(error);
}

function roomOf(limiter: object): ForAdapters {
  return (limiter as { readonly [forAdapters]: ForAdapters })[forAdapters];
}
