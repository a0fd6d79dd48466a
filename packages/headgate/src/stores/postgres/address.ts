import { HeadgateError } from "../../core/errors.ts";
import { show } from "../../core/show.ts";

/** The parts of a PostgreSQL URL. */
export interface PostgresAddress {
  /** The URL for the driver. */
  readonly url: string;
  /** Whether statements are prepared: `?prepare=false` turns it off. */
  readonly prepares: boolean;
}

/**
 * Parses the URL of a PostgreSQL or PGlite store.
 *
 * @throws HeadgateError `store-invalid`. The message does not show the URL, because it may contain a password.
 */
export function parsePostgresUrl(source: string): PostgresAddress {
  if (!/^(postgres|postgresql|pglite):/i.test(source) || !(isPglite(source) || URL.canParse(source))) {
    fail(
      "The PostgreSQL URL cannot be read: write postgres://user:password@host:5432/database, with special characters of " +
        "the password as %40, or pglite://memory or pglite://./data.",
    );
  }
  if (isPglite(source) || !source.includes("prepare=")) return { url: source, prepares: true };
  const [address = "", query = ""] = source.split("?", 2);
  const options = query.split("&");
  const value = options.find((option) => option.startsWith("prepare="))?.slice("prepare=".length);
  if (value !== undefined && value !== "true" && value !== "false")
    fail(`prepare in a PostgreSQL URL must be true or false, got ${show(value)}.`);
  // Drivers would send the option to the server, which does not know it.
  const others = options.filter((option) => !option.startsWith("prepare="));
  return {
    url: others.length === 0 ? address : `${address}?${others.join("&")}`,
    prepares: value !== "false",
  };
}

export function isPglite(url: string): boolean {
  return /^pglite:/i.test(url);
}

function fail(message: string): never {
  throw new HeadgateError("store-invalid", message);
}
