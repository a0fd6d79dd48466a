/** Why a database is unavailable, as opposed to an error in a query. */
export type DatabaseTrouble = "busy" | "unreachable" | "read-only" | "full";

/** All connections are in use by requests that are being answered: an overload, not an outage. */
export class DatabaseBusyError extends Error {
  override readonly name = "DatabaseBusyError";
  constructor() {
    super("all connections to the database are in use");
  }
}

/**
 * Finds a database failure in an error or its causes.
 *
 * @returns `undefined` for an error in a query, or an error from elsewhere
 */
export function databaseTrouble(error: unknown): DatabaseTrouble | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause as unknown) {
    if (cause instanceof DatabaseBusyError) return "busy";
    const trouble = troubleOf(String((cause as { code?: unknown }).code ?? ""), cause.message);
    if (trouble) return trouble;
  }
  return undefined;
}

function troubleOf(code: string, message: string): DatabaseTrouble | undefined {
  if (code === "53100" || code === "ENOSPC" || code === "EDQUOT" || /No space left on device/.test(message)) {
    return "full";
  }
  if (code === "25006" || code === "EROFS" || /Read-only file system/.test(message)) return "read-only";
  // All connections that PostgreSQL allows are in use, perhaps by other processes.
  if (code === "53300") return "busy";
  // Classes 08 (connection), 53 (resources), 57 (stopped or timed out) and 58 (files), and socket errors.
  if (/^(08|53|57|58)...$|^E(CONN|HOST|NET|PIPE|TIMEDOUT|AI_AGAIN|NOTFOUND|IO$)/.test(code))
    return "unreachable";
  const isAway =
    /timeout exceeded when trying to connect|Connection terminated|Query read timeout|PGlite (is closed|failed)|Cannot use a pool after calling end/;
  return isAway.test(message) ? "unreachable" : undefined;
}
