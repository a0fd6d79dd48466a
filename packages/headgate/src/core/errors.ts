import { knownAs, markInstance } from "./copies.ts";

/** Every code that a `HeadgateError` may carry. They are stable: programs may rely on them. */
export type HeadgateErrorCode =
  | "limit-unreadable"
  | "limit-invalid"
  | "policy-invalid"
  | "cost-invalid"
  /** The plan or the limits of a caller could not be looked up: the default holds. */
  | "lookup-failed"
  | "store-unknown"
  | "store-invalid"
  | "store-unavailable"
  | "trust-proxy-unreadable"
  /** A request's address is not known, or nobody who is trusted reports it. */
  | "address-unknown"
  | "option-invalid"
  /** What a store holds, or the time it tells, cannot be made sense of. */
  | "store-state-invalid"
  /** A guard that is mounted twice, too late, or where it cannot guard. */
  | "guard-misplaced"
  /** The memory store keeps as many blocks and overrides as it may. */
  | "store-full"
  /** Too many wait for a limiter. */
  | "queue-full"
  | "limiter-closed";

/**
 * A mistake in how Headgate is set up or called, never a refusal: a refusal is a value.
 * The message names the value and says what would be right; `code` is for programs.
 */
export class HeadgateError extends Error {
  static override readonly [Symbol.hasInstance] = /* @__PURE__ */ knownAs("HeadgateError");
  readonly code: HeadgateErrorCode;

  constructor(code: HeadgateErrorCode, message: string, options?: { cause: unknown }) {
    super(message, options);
    this.name = "HeadgateError";
    this.code = code;
    markInstance(this, "HeadgateError");
  }
}

/** What a store holds for one caller cannot be read: it answers, and everybody else is decided as ever. */
export class UnreadableStateError extends HeadgateError {
  static override readonly [Symbol.hasInstance] = /* @__PURE__ */ knownAs("UnreadableStateError");
  constructor(message: string) {
    super("store-state-invalid", message);
    markInstance(this, "UnreadableStateError");
  }
}
