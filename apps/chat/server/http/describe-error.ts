import { DrizzleQueryError } from "drizzle-orm";
import { HeadgateError } from "headgate";
import { databaseTrouble } from "../database-trouble.ts";

/**
 * Describes an error for the log. Leaves out a failed query's parameters and PostgreSQL's `detail`, which contain what
 * people wrote. A database that does not answer gets one line, because a stack adds nothing.
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

/**
 * Describes an error of a limiter for the log. The library's own errors, such as that a store does not answer, get no
 * stack, because their messages say everything.
 */
export function describeLimiterError(error: unknown): Record<string, unknown> {
  if (!(error instanceof HeadgateError) && !isPlain(error)) return describeError(error);
  const { code } = error as { code?: unknown };
  return {
    name: error.name,
    message: error.message,
    ...(typeof code === "string" ? { code } : {}),
    ...(error.cause ? { cause: describeLimiterError(error.cause) } : {}),
  };
}

function isPlain(error: unknown): error is Error {
  return error instanceof Error && error.constructor === Error;
}

/** Returns the driver's message. The outer errors contain the query. */
function lastCause(error: Error): Record<string, unknown> {
  let cause = error;
  while (cause.cause instanceof Error) cause = cause.cause;
  const { code } = cause as { code?: unknown };
  return {
    ...(cause instanceof DrizzleQueryError ? {} : { message: cause.message }),
    ...(typeof code === "string" ? { code } : {}),
  };
}
