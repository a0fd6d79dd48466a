import { HeadgateError } from "../../core/errors.ts";

/**
 * Returns `undefined` if the error is that a package is not installed. An error inside an installed package must not be
 * hidden.
 *
 * @throws the error, if it is any other error.
 */
export function absent(error: unknown): undefined {
  const code = (error as { code?: unknown } | undefined)?.code;
  if (code === "ERR_MODULE_NOT_FOUND" || code === "MODULE_NOT_FOUND") return undefined;
  throw error;
}

/** Returns the error that no client for a store is installed. Waiting does not help. */
export function notInstalled(message: string): HeadgateError & { readonly notInstalled: true } {
  return Object.assign(new HeadgateError("store-invalid", message), { notInstalled: true as const });
}
