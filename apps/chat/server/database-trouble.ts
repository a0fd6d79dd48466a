/** Why a database cannot do what it is asked, as opposed to having been asked something wrong. */
export type DatabaseTrouble = "unreachable" | "read-only" | "full";

/**
 * Reads a failure of the database's, as far down as its causes go.
 *
 * @returns `undefined` for anything else: a mistake in a query, or what never came from a database
 */
export function databaseTrouble(error: unknown): DatabaseTrouble | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause as unknown) {
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
  // Classes 08 (connection), 53 (resources), 57 (stopped, or taking too long) and 58 (its files), and the socket's own.
  if (/^(08|53|57|58)...$|^E(CONN|HOST|NET|PIPE|TIMEDOUT|AI_AGAIN|NOTFOUND|IO$)/.test(code))
    return "unreachable";
  const isAway =
    /timeout exceeded when trying to connect|Connection terminated|Query read timeout|PGlite (is closed|failed)|Cannot use a pool after calling end/;
  return isAway.test(message) ? "unreachable" : undefined;
}
