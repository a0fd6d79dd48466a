import { quoteText, type SqlNames } from "./names.ts";
import { graceMs } from "./sweep.ts";

/** Each new reset deletes at most this many expired ones. */
const mostForgotten = 1000;

/**
 * core/reset.ts: the record of each partition's last reset. Every decision reads this table, and it is usually empty: a
 * row lives as long as the forgotten charges would still count.
 */
export function resetsTableSql({ resetsTable }: SqlNames, unlogged: boolean): string {
  return `
IF to_regclass(${quoteText(resetsTable)}) IS NULL THEN
  CREATE ${unlogged ? "UNLOGGED " : ""}TABLE ${resetsTable} (
    partition_id uuid PRIMARY KEY,
    -- Milliseconds since 1970-01-01T00:00Z.
    reset_at bigint NOT NULL,
    -- Whether there was an earlier reset in the same millisecond.
    again boolean NOT NULL,
    expires_at bigint NOT NULL
  );
  CREATE INDEX ON ${resetsTable} (expires_at);
END IF;
`;
}

// Parts of the statements of the `apply` function.

export const resetVariables = `
  -- The partitions that were reset, with the time, whether again in that millisecond, and until when that matters; null
  -- if there are none.
  reset_ids uuid[];
  reset_ats bigint[];
  reset_agains boolean[];
  reset_overs bigint[];
  reset_over bigint;
  reset_number int;`;

export const findResetsSql = ({ resetsTable }: SqlNames) => `
  IF EXISTS (SELECT FROM ${resetsTable} AS v WHERE v.partition_id = ANY (partition_ids) AND v.expires_at > at) THEN
    SELECT array_agg(v.partition_id), array_agg(v.reset_at), array_agg(v.again), array_agg(v.expires_at)
    INTO reset_ids, reset_ats, reset_agains, reset_overs
    FROM ${resetsTable} AS v WHERE v.partition_id = ANY (partition_ids) AND v.expires_at > at;
  END IF;`;

/** Whether the partition of slot `s` was reset. */
export const wasResetSql = "(reset_ids IS NOT NULL AND partition_ids[s] = ANY (reset_ids))";

/** Changes a mark of the partition of slot `s` to one from after its reset, if the reset was in this millisecond. */
export const markSinceSql = (mark: string) => `
      IF reset_ids IS NOT NULL AND reset_ats[array_position(reset_ids, partition_ids[s])] >= at THEN
        ${mark} := -1 - ${mark};
      END IF;`;

/** Gives `need` units of slot `s` back to `state`, unless a reset has forgotten them. */
export const giveBackSql = ({ fn }: SqlNames, chargedAt: string, mark: string) => `
              reset_number := array_position(reset_ids, partition_ids[s]);
              IF reset_number IS NULL OR ${chargedAt} > reset_ats[reset_number] OR (
                ${chargedAt} = reset_ats[reset_number] AND ${mark} < 0 AND NOT reset_agains[reset_number]
              ) THEN
                state := ${fn("state_refund")}(
                  state, limits, o, at, need, ${chargedAt}, CASE WHEN ${mark} < 0 THEN -1 - ${mark} ELSE ${mark} END
                );
              END IF;`;

/** Records that the partition of slot `s` is reset now. Call this before anything of it is forgotten. */
export const noteResetSql = (
  { table, resetsTable }: SqlNames,
  isHoldings: (of: string, stateId?: string) => string,
) => `
        SELECT max(p.expires_at) INTO reset_over FROM ${table} AS p
        WHERE p.partition_id = partition_ids[s] AND (${isHoldings("p")}) IS NOT TRUE;
        FOR n IN 1 .. cardinality(slots) LOOP
          IF partition_ids[n] = partition_ids[s] AND slots[n].changed AND (${isHoldings("slots[n]", "state_ids[n]")}) IS NOT TRUE THEN
            reset_over := greatest(reset_over, slots[n].expires_at);
          END IF;
        END LOOP;
        IF reset_over > at THEN
          reset_number := array_position(reset_ids, partition_ids[s]);
          IF reset_number IS NULL THEN
            reset_number := coalesce(cardinality(reset_ids), 0) + 1;
            reset_ids[reset_number] := partition_ids[s];
            reset_ats[reset_number] := at;
            reset_agains[reset_number] := false;
            reset_overs[reset_number] := reset_over;
          ELSE
            reset_agains[reset_number] := reset_ats[reset_number] >= at;
            reset_ats[reset_number] := greatest(reset_ats[reset_number], at);
            reset_overs[reset_number] := greatest(reset_overs[reset_number], reset_over);
          END IF;
          INSERT INTO ${resetsTable} AS v (partition_id, reset_at, again, expires_at) VALUES (
            reset_ids[reset_number], reset_ats[reset_number], reset_agains[reset_number], reset_overs[reset_number]
          )
          ON CONFLICT (partition_id) DO UPDATE SET
            reset_at = EXCLUDED.reset_at, again = EXCLUDED.again, expires_at = EXCLUDED.expires_at;
          DELETE FROM ${resetsTable} AS v WHERE v.ctid = ANY (ARRAY(
            SELECT w.ctid FROM ${resetsTable} AS w WHERE w.expires_at <= at - ${graceMs}
            LIMIT ${mostForgotten} FOR UPDATE SKIP LOCKED
          ));
        END IF;`;
