import { DrizzleQueryError } from "drizzle-orm";
import { databaseTrouble } from "../database-trouble.ts";

/**
 * An error as the log may hold it. A failed query's parameters are what people wrote, and PostgreSQL repeats values
 * in its `detail`: neither goes in. A database that does not answer gets one line: no stack says more about it.
 */
export function describeError(error: unknown): Record<string, unknown> {
  const database = databaseTrouble(error);
  if (database) return { database, ...lastCause(error as Error) };
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

/** The driver's own words: those around it are the query. */
function lastCause(error: Error): Record<string, unknown> {
  let cause = error;
  while (cause.cause instanceof Error) cause = cause.cause;
  const { code } = cause as { code?: unknown };
  return {
    ...(cause instanceof DrizzleQueryError ? {} : { message: cause.message }),
    ...(typeof code === "string" ? { code } : {}),
  };
}
