import type { Admission } from "./admission.ts";

/** Limiter methods for adapters only. */
export interface ForAdapters {
  /**
   * Decides a request whose caller could not be identified. All such requests share one partition in each layer, so an
   * error neither disables the limits nor refuses everybody. In layers with plans they get the default plan.
   *
   * @throws HeadgateError `limiter-closed`
   */
  admitUnidentified(): Admission | Promise<Admission>;
  /**
   * Passes an error of the guard itself to `onError`: it must not reach the endpoint. Errors `address-unknown`
   * with the same message are reported once.
   */
  report(error: unknown): void;
}

/** A registered symbol, so that a limiter from one copy of this package works with an adapter from another. */
export const forAdapters: unique symbol = Symbol.for("headgate.for-adapters") as never;

/** Whether a value is a limiter made by `createLimiter`, or a spread copy of one. */
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
