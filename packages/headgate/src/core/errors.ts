import { knownAs, markInstance } from "./copies.ts";

/** Every code that a `HeadgateError` may have. Codes are stable: programs may rely on them. */
export type HeadgateErrorCode =
  | "limit-unreadable"
  | "limit-invalid"
  | "policy-invalid"
  | "cost-invalid"
  /** The plan or the limits of a caller could not be looked up: the default applies. */
  | "lookup-failed"
  | "store-unknown"
  | "store-invalid"
  | "store-unavailable"
  | "trust-proxy-unreadable"
  /** A request's address is not known, or no trusted proxy reports it. */
  | "address-unknown"
  | "option-invalid"
  /** Stored data is unreadable, or the store's time is invalid. */
  | "store-state-invalid"
  /** A guard is mounted twice, too late, or where it has no effect. */
  | "guard-misplaced"
  /** The memory store has reached its maximum number of blocks and overrides. */
  | "store-full"
  /** Too many calls are waiting for a limiter. */
  | "queue-full"
  | "limiter-closed";

/**
 * The error of a mistake in how Headgate is set up or called. It is never a refusal: a refusal is a value. The message
 * names the wrong value and what is expected; `code` is for programs.
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

/** The stored state of one caller cannot be read. The store works, and other callers are not affected. */
export class UnreadableStateError extends HeadgateError {
  static override readonly [Symbol.hasInstance] = /* @__PURE__ */ knownAs("UnreadableStateError");
  constructor(message: string) {
    super("store-state-invalid", message);
    markInstance(this, "UnreadableStateError");
  }
}
