import { adjustSql } from "./adjust.ts";
import { answerKinds, edgeKinds, holdingsCode, holdingsStateId, requestKinds, stateCodes } from "./codes.ts";
import { beginSql, gatherSql, keepChangesSql } from "./conversion.ts";
import type { SqlNames } from "./names.ts";
import { findOverridesSql, obstacleSql, overrideVariables } from "./overrides.ts";
import { plainSql } from "./plain.ts";
import { reservationVariables } from "./reservations.ts";
import { reserveSql } from "./reserve.ts";
import { findResetsSql, markSinceSql, noteResetSql, resetVariables } from "./resets.ts";
import { byAlgorithm, markOf, statesSql } from "./states.ts";

/** The types of its parameters. PostgreSQL finds the function by them. */
export const applyTypes = "uuid[],bigint[],bigint[],bigint[],integer[],bigint";

/**
 * The one function that a batch calls.
 *
 * `partition_ids` and `state_ids` are the states that the requests use. Requests name them by their index in these
 * arrays, from 1 up. `limits` has descriptions of limits. Requests name them by their first index. `requests` is a flat
 * list:
 *
 * - admit, plain and peek: `kind, count, (state, limits, need, spend)…`
 * - reserve, reserve peek and adjust: see sql/reserve.ts and sql/adjust.ts
 * - reset: `kind, count, (state)…`, which forgets all states of that state's partition except holds
 * - under: `kind, count, (state, override)…`, the override that set the limits of that state's partition
 *
 * A state's index is negative if the batch names another state of the same unit and partition.
 *
 * The answer is `{now, answer…}`. Each answer has its kind, and then for each requested state its mark and three
 * readings for each limit: remaining, wait (negative if it is a wait for holders), reset. If a state is corrupt or the
 * clocks differ, only the index of that state follows, from 0 up; such a request changes nothing. After the list come
 * the overrides of partitions as JSON, if there are any: the end of each, and its note.
 *
 * Requests are decided in order. The caller sorts the locks, and they are held until everything is written: each
 * request is atomic, and two batches never wait for each other in a circle.
 */
export function applySql(names: SqlNames): string {
  const { fn, slotType, lockClass } = names;
  return `${statesSql(names)}
CREATE OR REPLACE FUNCTION ${fn("apply")}(
  partition_ids uuid[], state_ids bigint[], limits bigint[], requests bigint[], locks int[], at bigint
)
RETURNS text LANGUAGE plpgsql VOLATILE
SET enable_seqscan = off SET enable_bitmapscan = off SET plan_cache_mode = force_generic_plan SET jit = off
-- Plans are cached. A plan from the time when the table was small must not read all of a large table. Compiling a plan
-- never pays off.
AS $function$
DECLARE
  slots ${slotType}[];
  answers bigint[];
  answer bigint[];
  state bigint[];
  kind int;
  count int;
  admitted boolean;
  before ${slotType}[];
  -- Whether all states of the units have been read, and which slots share a unit; and the initial values of missing
  -- states.
  gathered boolean := false;
  company boolean[];
  begun ${slotType}[];
  named int[];
  amounts bigint[];
  end_of_answers int;
  stamps bigint[];
  size int;
  wait bigint;
  amount bigint;
  need bigint;
  mark bigint;
  span bigint;
  bucket bigint;
  shares boolean;
  total bigint;
  spent bigint;
  code int;
  a int;
  o int;
  s int;
  i int := 1;
  j int;
  k int;
  m int;
  micros bigint;${reservationVariables}${overrideVariables}${resetVariables}
BEGIN
  PERFORM pg_advisory_xact_lock(${lockClass}, key) FROM unnest(locks) AS key;
  -- The locks are held from here on: a batch that waited for them reads a later time.
  micros := CASE WHEN at IS NULL THEN floor(extract(epoch FROM clock_timestamp()) * 1000000)::bigint ELSE 0 END;
  at := coalesce(at, micros / 1000);
${readSlotsSql(names)}
  answers := ARRAY[at, micros];
${findOverridesSql(names)}
${findResetsSql(names)}

  WHILE i < cardinality(requests) LOOP
    kind := requests[i];
    count := requests[i + 1];
    i := i + 2;
${plainSql(names)}
${reserveSql(names)}
${adjustSql(names)}
${resetSql(names)}
    IF kind = ${requestKinds.under} THEN
      under := NULL;
      under_ids := NULL;
      FOR g IN 1 .. count LOOP
        under[g] := partition_ids[requests[i]];
        under_ids[g] := requests[i + 1];
        i := i + 2;
      END LOOP;
      CONTINUE;
    END IF;

${lookSql(names)}
    IF answer IS NOT NULL THEN
      answers := answers || answer;
      i := j;
      CONTINUE;
    END IF;

    admitted := admitted AND obstacle = 0;
    answers := answers || (CASE
      WHEN admitted THEN ${answerKinds.admitted} WHEN obstacle > 0 THEN obstacle ELSE ${answerKinds.refused}
    END)::bigint;
${spendSql(names)}
    IF gathered AND kind <> ${requestKinds.peek} AND obstacle <> ${answerKinds.overridden} THEN
      slots := ${fn("charge_company")}(partition_ids, state_ids, slots, named, amounts, at);
    END IF;
  END LOOP;
  IF gathered THEN slots := ${fn("mark_company")}(partition_ids, state_ids, slots, company); END IF;

${writeSlotsSql(names)}
  RETURN answers::text || coalesce(override_notes::text, '');
END $function$;
`;
}

// Parts of its statements.

/** The states that the batch names. */
const readSlotsSql = ({ table, slotType }: SqlNames) => `  slots := ARRAY(
    SELECT coalesce((
      SELECT ROW(p.state, p.expires_at, false)::${slotType} FROM ${table} AS p
      WHERE p.partition_id = asked.partition_id AND p.state_id = asked.state_id AND p.expires_at > at
    ), (
      -- The state is missing, but there are others of its unit.
      SELECT ROW('{-1}'::bigint[], 0, false)::${slotType} FROM ${table} AS p
      WHERE p.partition_id = asked.partition_id AND p.state_id >> 40 = asked.state_id >> 40 AND p.expires_at > at
      LIMIT 1
    ), ROW(NULL, 0, false)::${slotType})
    FROM unnest(partition_ids, state_ids) WITH ORDINALITY AS asked(partition_id, state_id, n)
    ORDER BY asked.n
  );`;

/** Forgets all states of a partition except holds. */
function resetSql(names: SqlNames): string {
  const { fn, table, slotType } = names;
  const isHoldings = (of: string, stateId = `${of}.state_id`) =>
    `${stateId} = ${holdingsStateId} AND ${fn("is_sound")}(${of}.state, ${holdingsCode})`;
  return `    IF kind = ${requestKinds.reset} THEN
      FOR g IN i .. i + count - 1 LOOP
        s := requests[g];
${noteResetSql(names, isHoldings)}
        -- Holds stay, unless they cannot be read.
        DELETE FROM ${table} AS p WHERE p.partition_id = partition_ids[s]
          AND (${isHoldings("p")}) IS NOT TRUE;
        FOR n IN 1 .. cardinality(slots) LOOP
          CONTINUE WHEN ${isHoldings("slots[n]", "state_ids[n]")};
          IF partition_ids[n] = partition_ids[s] THEN slots[n] := ROW(NULL, 0, false)::${slotType}; END IF;
        END LOOP;
      END LOOP;
      i := i + count;
      answers := answers || ${answerKinds.admitted}::bigint;
      CONTINUE;
    END IF;
`;
}

/** Whether the request is admitted. All checks come before the first change. */
function lookSql(names: SqlNames): string {
  const { fn } = names;
  return `    -- First look, then spend: all that could go wrong goes wrong before anything has changed.
    admitted := true;
    answer := NULL;
    begun := NULL;
    named := '{}';
    amounts := '{}';
    obstacle := 0;
    j := i;
    FOR g IN 0 .. count - 1 LOOP
      s := abs(requests[j]);
      o := requests[j + 1];
      code := limits[o];
${obstacleSql("partition_ids[s]")}
${gatherSql(names)}
${beginSql(names)}
      IF state IS NOT NULL AND NOT ${fn("is_sound")}(state, code) THEN
        answer := ARRAY[${answerKinds.corrupt}, g];
      ELSIF code = ${stateCodes["fixed-window"]} AND limits[o + 5] = ${edgeKinds.calendar}
        AND (at < limits[o + 6] OR at >= limits[o + 10]) THEN
        answer := ARRAY[${answerKinds.clocksApart}, g];
      ELSIF requests[j + 2] > 0 THEN
        IF state IS NULL THEN
          FOR n IN o + 3 .. o + 1 + 2 * limits[o + 1] BY 2 LOOP
            IF requests[j + 2] > limits[n] THEN admitted := false; END IF;
          END LOOP;
        ELSE
          ${byAlgorithm(({ readAs }) => `wait := ${fn(`${readAs}_wait`)}(state, limits, o, at, requests[j + 2]);`)}
          IF wait > 0 THEN admitted := false; END IF;
        END IF;
      END IF;
      j := j + 4;
    END LOOP;`;
}

/** Charges what was admitted, and reads the limits. */
function spendSql(names: SqlNames): string {
  const { fn, slotType } = names;
  return `    FOR g IN 0 .. count - 1 LOOP
      s := abs(requests[i]);
      o := requests[i + 1];
      code := limits[o];
      amount := CASE WHEN admitted AND kind = ${requestKinds.admit} THEN requests[i + 3] ELSE 0 END;
      i := i + 4;
      state := coalesce(slots[s].state, begun[s].state);
      IF amount > 0 THEN
        ${byAlgorithm(({ name }) => `state := ${fn(`${name}_charge`)}(state, limits, o, at, amount);`)}
        -- Without the cast, PL/pgSQL would write the row as text and read it again.
        slots[s] := ROW(state, ${fn("state_blank_at")}(state), true)::${slotType};
      ELSIF NOT admitted AND kind = ${requestKinds.admit} AND obstacle <> ${answerKinds.overridden} THEN
${keepChangesSql(names)}
      END IF;
      need := CASE WHEN admitted AND kind = ${requestKinds.admit} THEN 0 ELSE requests[i - 2] END;
      mark := CASE WHEN amount > 0 THEN ${markOf} ELSE 0 END;
      IF amount > 0 THEN${markSinceSql("mark")}
      END IF;
      IF state IS NULL THEN
        answer := ${fn("read_blank")}(limits, o, need);
      ELSE
        ${byAlgorithm(({ readAs }) => `answer := ${fn(`${readAs}_read`)}(state, limits, o, at, need);`)}
      END IF;
      answers := answers || (mark || answer);
      IF gathered THEN
        named := named || s;
        amounts := amounts || amount;
      END IF;
    END LOOP;`;
}

/** Stores the states that have changed. */
const writeSlotsSql = ({
  table,
}: SqlNames) => `  IF EXISTS (SELECT FROM generate_subscripts(slots, 1) AS n WHERE slots[n].changed) THEN
    -- A crash of the server may lose the last moment, so that no request has to wait for the disk.
    PERFORM set_config('synchronous_commit', 'off', true);
    INSERT INTO ${table} AS p (partition_id, state_id, state, expires_at)
    SELECT partition_ids[n], state_ids[n], coalesce(slots[n].state, '{}'), slots[n].expires_at
    FROM generate_subscripts(slots, 1) AS n
    WHERE slots[n].changed
    ON CONFLICT (partition_id, state_id) DO UPDATE SET state = EXCLUDED.state, expires_at = EXCLUDED.expires_at;
  END IF;`;
