import { answerKinds, never } from "./codes.ts";
import { quoteText, type SqlNames } from "./names.ts";
import { graceMs } from "./sweep.ts";

/** So many that are over go with each that is added. */
const mostForgotten = 1000;

/**
 * The table of what operators decided: one row for each partition that is overridden. It is read by every decision, and is
 * mostly empty. A crash must not lift a block: it is logged also where the counts are not.
 */
export function overridesTableSql({ overridesTable }: SqlNames): string {
  return `
IF to_regclass(${quoteText(overridesTable)}) IS NULL THEN
  CREATE TABLE ${overridesTable} (
    partition_id uuid PRIMARY KEY,
    -- By which requests name it.
    override_id bigint NOT NULL,
    -- Whether it admits nobody.
    blocks boolean NOT NULL,
    -- When it ends; milliseconds since 1970-01-01T00:00Z, and ${never} for good.
    expires_at bigint NOT NULL,
    -- What holds instead, why, and who decided it: JSON.
    note text NOT NULL
  );
  CREATE INDEX ON ${overridesTable} (expires_at);
END IF;
`;
}

/** The table of the texts that limiters' processes share: their overrides by prefix. Logged, for the same reason. */
export function textsTableSql({ textsTable }: SqlNames): string {
  return `
IF to_regclass(${quoteText(textsTable)}) IS NULL THEN
  CREATE TABLE ${textsTable} (limiter text PRIMARY KEY, version bigint NOT NULL, text text NOT NULL);
END IF;
`;
}

export function overrideSql({ fn, overridesTable, lockClass }: SqlNames): string {
  return `
-- Puts an override into force for these partitions, until a moment or for so long; without a note it ends what is in force.
CREATE OR REPLACE FUNCTION ${fn("override")}(
  partition_ids uuid[], named bigint, blocks boolean, ends_at bigint, for_ms bigint, note text, locks int[], at bigint
)
RETURNS bigint LANGUAGE plpgsql VOLATILE AS $function$
BEGIN
  PERFORM pg_advisory_xact_lock(${lockClass}, key) FROM unnest(locks) AS key;
  at := coalesce(at, floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint);
  DELETE FROM ${overridesTable} AS v WHERE v.ctid = ANY (ARRAY(
    SELECT w.ctid FROM ${overridesTable} AS w WHERE w.expires_at <= at - ${graceMs}
    LIMIT ${mostForgotten} FOR UPDATE SKIP LOCKED
  ));
  IF note IS NULL THEN
    DELETE FROM ${overridesTable} AS v WHERE v.partition_id = ANY (partition_ids);
    RETURN at;
  END IF;
  INSERT INTO ${overridesTable} AS v (partition_id, override_id, blocks, expires_at, note)
  SELECT DISTINCT asked.id, named, blocks, coalesce(ends_at, at + for_ms), note FROM unnest(partition_ids) AS asked(id)
  ON CONFLICT (partition_id) DO UPDATE SET
    override_id = EXCLUDED.override_id, blocks = EXCLUDED.blocks, expires_at = EXCLUDED.expires_at, note = EXCLUDED.note;
  RETURN at;
END $function$;
`;
}

// Parts of the statements of the `apply` function.

export const overrideVariables = `
  -- Which partitions are overridden, one for one with the ids and whether they are blocked; null where none is.
  overridden uuid[];
  override_ids bigint[];
  override_blocks boolean[];
  override_notes jsonb;
  -- Of the next request: partitions whose limits are by an override, and by which.
  under uuid[];
  under_ids bigint[];
  obstacle int;`;

export const findOverridesSql = ({ overridesTable }: SqlNames) => `
  IF EXISTS (SELECT FROM ${overridesTable} AS v WHERE v.partition_id = ANY (partition_ids) AND v.expires_at > at) THEN
    SELECT array_agg(v.partition_id), array_agg(v.override_id), array_agg(v.blocks),
      jsonb_object_agg(replace(v.partition_id::text, '-', ''), jsonb_build_array(v.expires_at, v.note))
    INTO overridden, override_ids, override_blocks, override_notes
    FROM ${overridesTable} AS v WHERE v.partition_id = ANY (partition_ids) AND v.expires_at > at;
  END IF;`;

/**
 * Why the override of one partition refuses, kept in `obstacle`, which is 0 before: that the request was not made under what is in
 * force outranks a block.
 *
 * @param isExtension SQL: a reservation is extended under the limits that admitted it.
 */
export const obstacleSql = (partition: string, isExtension = "false") => `
        IF overridden IS NOT NULL OR under IS NOT NULL THEN
          k := array_position(overridden, ${partition});
          IF override_blocks[k] THEN
            obstacle := greatest(obstacle, ${answerKinds.blocked});
          ELSIF NOT ${isExtension}
            AND coalesce(override_ids[k], 0) <> coalesce(under_ids[array_position(under, ${partition})], 0) THEN
            obstacle := ${answerKinds.overridden};
          END IF;
        END IF;`;
