import { HeadgateError } from "../../core/errors.ts";
import { checkOptions } from "../../core/options.ts";
import { show } from "../../core/show.ts";
import { applySql, applyTypes } from "./sql/apply.ts";
import { claimsSql, claimsTableSql } from "./sql/claims.ts";
import { coarseLogSql } from "./sql/coarse-log.ts";
import { conversionSql } from "./sql/conversion.ts";
import { fixedWindowSql } from "./sql/fixed-window.ts";
import { holdingsSql, holdsTableSql } from "./sql/holdings.ts";
import { namesIn, quoteText } from "./sql/names.ts";
import { overrideSql, overridesTableSql, textsTableSql } from "./sql/overrides.ts";
import { renewalsSql } from "./sql/renewals.ts";
import { resetsTableSql } from "./sql/resets.ts";
import { slidingCounterSql } from "./sql/sliding-counter.ts";
import { slidingWindowSql } from "./sql/sliding-window.ts";
import { sweepSql } from "./sql/sweep.ts";
import { tableSql } from "./sql/table.ts";
import { tokenBucketSql } from "./sql/token-bucket.ts";

export interface MigrationOptions {
  /** The schema of all tables and functions; default `headgate`. It is created if it is missing. */
  schema?: string;
  /**
   * Whether the table is kept out of the write-ahead log. This is faster, but if the server crashes or a replica takes
   * over, all counts are lost and every caller starts again from zero. Default `false`. Only read when the table is
   * created.
   */
  unlogged?: boolean;
}

export const defaultSchema = "headgate";

/**
 * PostgreSQL truncates longer names, so that two schemas could become one; and `$` could end the quoting of the functions.
 *
 * @throws HeadgateError `option-invalid`
 */
export function checkSchema(schema: string): void {
  const fits = typeof schema === "string" && schema !== "" && new TextEncoder().encode(schema).length <= 63;
  if (fits && !schema.includes("$") && !schema.includes("\u0000") && !schema.startsWith("pg_")) return;
  throw new HeadgateError(
    "option-invalid",
    `schema must be a name of 1 to 63 bytes, without "$" and not beginning with "pg_", got ${show(schema)}.`,
  );
}

/** @throws HeadgateError `option-invalid`: text such as "false" would count as true. */
export function checkSwitches(options: object, names: readonly string[]): void {
  for (const name of names) {
    const given = (options as Record<string, unknown>)[name];
    if (given === undefined || typeof given === "boolean") continue;
    throw new HeadgateError("option-invalid", `${name} must be true or false, got ${show(given)}.`);
  }
}

/**
 * One SQL statement that creates the schema, the tables and the functions if they are missing, and leaves everything else
 * unchanged. It may be run at any time, by several processes at once. The functions have their version in their names,
 * so that processes of two releases can share a database.
 *
 * @throws HeadgateError `option-invalid`
 */
export function postgresMigration(options: MigrationOptions = {}): string {
  checkOptions("postgresMigration", options, ["schema", "unlogged"], "option-invalid");
  checkSwitches(options, ["unlogged"]);
  const { schema = defaultSchema, unlogged = false } = options;
  checkSchema(schema);
  const names = namesIn(schema);
  const functions = [
    slidingWindowSql,
    coarseLogSql,
    tokenBucketSql,
    fixedWindowSql,
    slidingCounterSql,
    conversionSql,
    holdingsSql,
    sweepSql,
    overrideSql,
    applySql,
    renewalsSql,
    claimsSql,
  ];
  return `DO $migration$
BEGIN
-- One process at a time.
PERFORM pg_advisory_xact_lock(${names.lockClass}, -1);
${tableSql(names, unlogged).trim()}
${holdsTableSql(names, unlogged).trim()}
${overridesTableSql(names).trim()}
${textsTableSql(names).trim()}
${resetsTableSql(names, unlogged).trim()}
${claimsTableSql(names, unlogged).trim()}
IF to_regprocedure(${quoteText(`${names.fn("apply")}(${applyTypes})`)}) IS NULL THEN

${functions.map((write) => write(names).trim()).join("\n\n")}

END IF;
END $migration$;
`;
}
