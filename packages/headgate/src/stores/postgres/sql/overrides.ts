import { answerKinds, never } from "./codes.ts";
import { quoteText, type SqlNames } from "./names.ts";
import { graceMs } from "./sweep.ts";

/** Each new override deletes at most this many expired ones. */
const mostForgotten = 1000;

/**
 * The table of operators' overrides: one row for each overridden partition. Every decision reads it, and it is usually
 * almost empty. A crash must not lift a block, so the table is logged even if the counts are not.
 */
export function overridesTableSql({ overridesTable }: SqlNames): string {
  return `
IF to_regclass(${quoteText(overridesTable)}) IS NULL THEN
  CREATE TABLE ${overridesTable} (
    partition_id uuid PRIMARY KEY,
    -- Requests name the override by this id.
    override_id bigint NOT NULL,
    -- Whether it refuses every request.
    blocks boolean NOT NULL,
    -- When it ends; milliseconds since 1970-01-01T00:00Z; ${never} if it is permanent.
    expires_at bigint NOT NULL,
    -- The limits, the reason and the author: JSON.
    note text NOT NULL
  );
  CREATE INDEX ON ${overridesTable} (expires_at);
END IF;
`;
}

/**
 * The table of the texts that the processes of a limiter share: their overrides by prefix. It is logged, for the same
 * reason.
 */
export function textsTableSql({ textsTable }: SqlNames): string {
  return `
IF to_regclass(${quoteText(textsTable)}) IS NULL THEN
  CREATE TABLE ${textsTable} (limiter text PRIMARY KEY, version bigint NOT NULL, text text NOT NULL);
END IF;
`;
}

export function overrideSql({ fn, overridesTable, lockClass }: SqlNames): string {
  return `
-- Sets an override for these partitions, until a time or for a duration. Without a note, it ends the override in force.
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
  -- The overridden partitions, with the ids of their overrides and whether they are blocked; null if there are none.
  overridden uuid[];
  override_ids bigint[];
  override_blocks boolean[];
  override_notes jsonb;
  -- For the next request: the partitions whose limits an override has set, and the overrides' ids.
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
 * Sets `obstacle` if the override of one partition refuses; it is 0 before. A request that was not made under the
 * override in force is a stronger reason than a block.
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
