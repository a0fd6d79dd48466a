import { DrizzleQueryError } from "drizzle-orm";

/**
 * An error as the log may hold it. A failed query's parameters are what people wrote, and PostgreSQL repeats values
 * in its `detail`: neither goes in.
 */
export function describeError(error: unknown): Record<string, unknown> {
  if (error instanceof DrizzleQueryError) {
    return {
      name: error.name,
      query: error.query,
      cause: error.cause ? describeError(error.cause) : undefined,
    };
  }
  if (!(error instanceof Error)) return { name: typeof error };
  const { code } = error as { code?: unknown };
  return {
    name: error.name,
    message: error.message,
    ...(typeof code === "string" ? { code } : {}),
    stack: error.stack,
    ...(error.cause ? { cause: describeError(error.cause) } : {}),
  };
}

/** Whether the database could not be reached or gave up, as opposed to having been asked something wrong. */
export function isDatabaseOutage(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause as unknown) {
    const code = String((cause as { code?: unknown }).code ?? "");
    // Classes 08 (connection) and 57P (shutting down), 53300 (too many connections), and the socket's own.
    if (/^(08|57P|53300)|^E(CONN|HOST|NET|PIPE|TIMEDOUT|AI_AGAIN|NOTFOUND)/.test(code)) return true;
    if (
      /timeout exceeded when trying to connect|Connection terminated|Query read timeout/.test(cause.message)
    )
      return true;
    if (/PGlite is closed|Cannot use a pool after calling end/.test(cause.message)) return true;
  }
  return false;
}
