/** Nothing was sent: there was no connection, or connecting failed. Codes of Node's sockets and of `postgres`. */
const unsent = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "CONNECT_TIMEOUT",
  "CONNECTION_ENDED",
]);
/** `pg` says the same without a code. */
const unsentMessages =
  /not queryable|when trying to connect|due to connection timeout|after calling end on the pool/;
/** The server was asked to end the session: the statement may have been completed by then. */
const ended = new Set(["57P01", "57P02"]);
const sqlState = /^[0-9A-Z]{5}$/;

/**
 * Whether a failed statement may have been carried out: the connection broke after it was sent. If the server itself
 * refused a statement, it was rolled back.
 */
export function mayHaveBeenApplied(error: unknown): boolean {
  const { code, message, severity } = (error ?? {}) as {
    code?: unknown;
    message?: unknown;
    severity?: unknown;
  };
  if (typeof code === "string") {
    if (unsent.has(code)) return false;
    if (typeof severity === "string" && sqlState.test(code)) return ended.has(code);
  }
  return !unsentMessages.test(String(message));
}
