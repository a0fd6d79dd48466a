/**
 * Servers begin an error with its code: `OOM command not allowed`, `MISCONF Redis is configured …`, `ERR …`. Of
 * valkey-glide it comes with a preface.
 */
const answered = /^-?[A-Z][A-Z0-9]+\b|signalled by the server/;
/** There was no connection to send it by. Of Node's sockets, ioredis and iovalkey, node-redis. */
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
 * Whether a script whose call failed may have run all the same: the connection broke after it was sent, or nothing came
 * back in time. What a server answers with an error has changed nothing: the script writes last, and all at once.
 */
export function mayHaveBeenApplied(error: unknown): boolean {
  const { name, message } = (error ?? {}) as { name?: unknown; message?: unknown };
  const text = String(message);
  return !(name === "ReplyError" || answered.test(text) || unsent.test(text));
}

/** Whether the server is full, or cannot save: it will not decide before somebody has made room. */
export function isFull(error: unknown): boolean {
  return error instanceof Error && /\b(OOM|MISCONF)\b/.test(error.message);
}

/** Whether a replica was asked to write: of valkey-glide the code comes after a preface. */
export function isReadOnly(error: unknown): boolean {
  return error instanceof Error && /\bREADONLY\b/i.test(error.message);
}
