import { rememberedMs } from "../../../core/holdings.ts";
import { quoteText, type SqlNames } from "./names.ts";

/** How long a row stays after it has expired, ms: a server's clock that is set back a little must not miss it. */
export const graceMs = 60_000;

/** A sweep function for each table. Holds are remembered for a while after they have expired. */
export function sweepSql(names: SqlNames): string {
  return [
    sweepTableSql(names, "sweep", names.table, graceMs),
    sweepTableSql(names, "sweep_holds", names.holdsTable, graceMs + rememberedMs),
  ].join("\n");
}

/**
 * Deletes expired rows of the next few pages of the table, in a circle, and returns `{next page, deleted}`. With a
 * negative first page, it starts at a random page. It skips locked rows until the next round, so it never waits. A
 * decision waits for at most one row that is being deleted.
 */
function sweepTableSql({ fn }: SqlNames, name: string, table: string, keptMs: number): string {
  return `
CREATE OR REPLACE FUNCTION ${fn(name)}(first_page bigint, share int, fewest int, most_rows int, at bigint)
RETURNS bigint[] LANGUAGE plpgsql VOLATILE AS $function$
DECLARE
  size bigint := pg_relation_size(${quoteText(table)}::regclass) / current_setting('block_size')::int;
  pages bigint := greatest(size / share, fewest);
  start bigint := CASE
    WHEN first_page < 0 THEN floor(random() * size)
    WHEN first_page < size THEN first_page
    ELSE 0
  END;
  deleted bigint;
  last_page bigint;
BEGIN
  PERFORM set_config('synchronous_commit', 'off', true);
  at := coalesce(at, floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint);
  WITH gone AS (
    DELETE FROM ${table} AS p WHERE p.ctid = ANY (ARRAY(
      SELECT q.ctid FROM ${table} AS q
      WHERE q.ctid >= format('(%s,0)', start)::tid AND q.ctid < format('(%s,0)', least(start + pages, 4294967295))::tid
        AND q.expires_at <= at - ${keptMs}
      LIMIT most_rows
      FOR UPDATE SKIP LOCKED
    ))
    RETURNING p.ctid AS place
  )
  SELECT count(*), max((place::text::point)[0])::bigint INTO deleted, last_page FROM gone;
  IF deleted >= most_rows THEN RETURN ARRAY[last_page, deleted]; END IF;
  RETURN ARRAY[CASE WHEN start + pages >= size THEN 0 ELSE start + pages END, deleted];
END $function$;
`;
}
