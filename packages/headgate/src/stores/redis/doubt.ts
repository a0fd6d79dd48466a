/**
 * Servers begin an error with its code: `OOM command not allowed`, `MISCONF Redis is configured …`, `ERR …`.
 * valkey-glide puts a preface before the code.
 */
const answered = /^-?[A-Z][A-Z0-9]+\b|signalled by the server/;
/** Errors without a connection to send on: those of Node's sockets, ioredis and iovalkey, node-redis. */
const unsent = new RegExp(
  [
    "connect E[A-Z]+",
    "getaddrinfo ",
    "enableOfflineQueue",
    "^The client is (closed|offline)$",
    "root nodes are unavailable",
    "^None of startup nodes is available$",
    "^Node is disconnected$",
  ].join("|"),
);

/**
 * Whether a script may have run although its call failed: the connection broke after the call was sent, or no answer came
 * in time. If the server answers with an error, nothing has changed: the script writes last, and all at once.
 */
export function mayHaveBeenApplied(error: unknown): boolean {
  const { name, message } = (error ?? {}) as { name?: unknown; message?: unknown };
  const text = String(message);
  return !(name === "ReplyError" || answered.test(text) || unsent.test(text));
}

/** Whether the server is full or cannot save: it cannot decide until an operator frees memory or disk space. */
export function isFull(error: unknown): boolean {
  return error instanceof Error && /\b(OOM|MISCONF)\b/.test(error.message);
}

/** Whether a replica was asked to write. valkey-glide puts a preface before the code. */
export function isReadOnly(error: unknown): boolean {
  return error instanceof Error && /\bREADONLY\b/i.test(error.message);
}
