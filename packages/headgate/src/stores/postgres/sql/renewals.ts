import { rememberedMs } from "../../../core/holdings.ts";
import { adjustLengths } from "./adjust.ts";
import { answerKinds, edgeKinds, holdingsCode, inCompany, stateCodes } from "./codes.ts";
import type { SqlNames } from "./names.ts";

/**
 * The heartbeat of one or a few holds, in the shortest way. The parameters are those of `apply`, for one request with
 * adjustments of different partitions that change no total: `stores/shared/renewals.ts`.
 *
 * If a row differs from what the heartbeat says, or if anything may have lapsed or be unreadable, `apply` decides the
 * same request, in the same transaction. It finds leases that were renewed here renewed already.
 */
export function renewalsSql({ fn, table, holdsTable, slotType, lockClass }: SqlNames): string {
  const { adjustment, group, refund } = adjustLengths;
  const general = `RETURN ${fn("apply")}(partition_ids, state_ids, limits, requests, locks, given);`;
  return `
CREATE OR REPLACE FUNCTION ${fn("renew")}(
  partition_ids uuid[], state_ids bigint[], limits bigint[], requests bigint[], locks int[], given bigint
)
RETURNS text LANGUAGE plpgsql VOLATILE
-- For the same reasons as in \`apply\`.
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off SET plan_cache_mode = force_generic_plan
AS $function$
DECLARE
  at bigint := given;
  micros bigint := 0;
  answers bigint[];
  readings bigint[];
  slots ${slotType}[];
  slot ${slotType};
  holdings bigint[];
  state bigint[];
  all_units bigint[];
  all_used bigint[];
  all_held bigint[];
  lease bigint;
  unit bigint;
  sum bigint;
  until bigint;
  h int;
  s int;
  o int;
  a int := 3;
  i int;
  j int := 3;
  group_count int;
BEGIN
  FOREACH i IN ARRAY locks LOOP PERFORM pg_advisory_xact_lock(${lockClass}, i); END LOOP;
  IF at IS NULL THEN
    micros := floor(extract(epoch FROM clock_timestamp()) * 1000000)::bigint;
    at := micros / 1000;
  END IF;
  answers := ARRAY[at, micros, ${answerKinds.admitted}];

  -- First look, then write: after a write, nothing may be found unreadable.
  FOR n IN 1 .. cardinality(partition_ids) LOOP
    SELECT p.state, p.expires_at, false INTO slot
    FROM ${table} AS p WHERE p.partition_id = partition_ids[n] AND p.state_id = state_ids[n] AND p.expires_at > at;
    slots[n] := slot;
  END LOOP;
  FOR c IN 1 .. requests[2] LOOP
    holdings := slots[requests[j]].state;
    IF holdings IS NULL OR holdings[1] <> ${holdingsCode} OR holdings[2] <= at
      OR cardinality(holdings) < 5 OR cardinality(holdings) % 2 = 0 THEN
      ${general}
    END IF;
    group_count := requests[j + 7];
    j := j + ${adjustment};
    FOR g IN 1 .. group_count LOOP
      s := requests[j];
      o := requests[j + 1];
      IF s < 0 THEN
        ${general}
      ELSIF s > 0 THEN
        state := slots[s].state;
        IF state IS NULL AND EXISTS (
          SELECT FROM ${table} AS p WHERE p.partition_id = partition_ids[s] AND p.state_id >> 40 = state_ids[s] >> 40
            AND p.expires_at > at
        ) OR state[1] NOT BETWEEN 1 AND ${inCompany - 1} OR NOT ${fn("is_sound")}(state, limits[o])
          OR limits[o] = ${stateCodes["fixed-window"]} AND limits[o + 5] = ${edgeKinds.calendar}
            AND (at < limits[o + 6] OR at >= limits[o + 10]) THEN
          ${general}
        END IF;
      END IF;
      j := j + ${group} + ${refund} * requests[j + 7];
    END LOOP;
  END LOOP;

  j := 3;
  FOR c IN 1 .. requests[2] LOOP
    h := requests[j];
    lease := requests[j + 1];
    group_count := requests[j + 7];
    all_units := NULL;
    all_used := NULL;
    all_held := NULL;
    i := j + ${adjustment};
    FOR g IN 1 .. group_count LOOP
      IF requests[i + 3] = 1 THEN
        all_units := all_units || requests[i + 2];
        all_used := all_used || requests[i + 5];
        all_held := all_held || requests[i + 6];
      END IF;
      i := i + ${group} + ${refund} * requests[i + 7];
    END LOOP;
    UPDATE ${holdsTable} AS f SET seq = requests[j + 4],
      expires_at = CASE
        WHEN f.holding THEN greatest(f.expires_at, at + lease) ELSE at + lease + ${rememberedMs}
      END
    WHERE f.partition_id = partition_ids[h] AND f.rid_high = requests[j + 2] AND f.rid_low = requests[j + 3]
      AND f.seq < requests[j + 4] AND NOT f.ended AND f.expires_at > at
      AND f.units = all_units AND f.used = all_used AND f.held = all_held
    RETURNING f.expires_at INTO until;
    IF until IS NULL THEN
      ${general}
    END IF;
    IF until + ${rememberedMs} > slots[h].expires_at THEN
      UPDATE ${table} AS p SET expires_at = until + ${2 * rememberedMs}
      WHERE p.partition_id = partition_ids[h] AND p.state_id = state_ids[h];
    END IF;

    holdings := slots[h].state;
    j := j + ${adjustment};
    FOR g IN 1 .. group_count LOOP
      s := requests[j];
      o := requests[j + 1];
      unit := requests[j + 2];
      a := a + 1;
      answers[a] := 0;
      sum := 0;
      FOR n IN 6 .. cardinality(holdings) BY 2 LOOP
        IF holdings[n] = unit THEN sum := holdings[n + 1]; END IF;
      END LOOP;
      IF s = 0 AND limits[o + 1] = 1 AND sum BETWEEN 1 AND limits[o + 3] THEN
        -- The next place is free when the first holder of any lapses.
        SELECT f.expires_at INTO until FROM ${holdsTable} AS f
        WHERE f.partition_id = partition_ids[h] AND f.holding AND f.expires_at > at
          AND f.held[array_position(f.units, unit)] > 0
        ORDER BY f.expires_at LIMIT 1;
        answers[a + 1] := limits[o + 3] - sum;
        answers[a + 2] := 0;
        answers[a + 3] := until - at;
      ELSE
        readings := ${fn("held_read")}(slots[s].state, limits, o, at, 0, partition_ids[h], unit, holdings);
        FOR n IN 1 .. cardinality(readings) LOOP answers[a + n] := readings[n]; END LOOP;
      END IF;
      a := a + 3 * limits[o + 1]::int;
      j := j + ${group} + ${refund} * requests[j + 7];
    END LOOP;
  END LOOP;
  PERFORM set_config('synchronous_commit', 'off', true);
  RETURN answers::text;
END $function$;
`;
}
