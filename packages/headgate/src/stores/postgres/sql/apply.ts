import { answerKinds, edgeKinds, inCompany, never, requestKinds, stateCodes } from "./codes.ts";
import type { SqlNames } from "./names.ts";
import { plainSql } from "./plain.ts";

const algorithmsByCode = Object.entries(stateCodes).map(([name, code]) => ({
  code,
  name: name.replace("-", "_"),
}));

/** The types of its parameters, by which PostgreSQL tells whether it is there. */
export const applyTypes = "uuid[],bigint[],bigint[],bigint[],integer[],bigint";

/** `IF code = 1 THEN … ELSIF code = 2 THEN … END IF;` over all algorithms. */
function byAlgorithm(write: (name: string, code: number) => string): string {
  const branches = algorithmsByCode.map(({ name, code }) => `code = ${code} THEN ${write(name, code)}`);
  return `IF ${branches.join("\n      ELSIF ")}\n      END IF;`;
}

// Expressions over `code`, `state`, `limits`, `o`, `at` and `amount`: each decision needs them, and to call a function takes longer.

/** What a refund needs of what was charged just now. */
const markOf = `CASE code
        -- How far the clock was set back: the stamp to look for is later by so much.
        WHEN ${stateCodes["sliding-window"]} THEN state[(cardinality(state) + 1) / 2] - at
        WHEN ${stateCodes["token-bucket"]} THEN greatest(0, state[3] - amount::numeric * limits[o + 5])::bigint
        WHEN ${stateCodes.concurrent} THEN state[2] - 1
        ELSE state[2]
      END`;

/** From when on the state counts for nothing. */
const blankAt = ({ fn }: SqlNames) => `CASE code
          WHEN ${stateCodes["sliding-window"]} THEN
            CASE WHEN cardinality(state) > 3 THEN state[(cardinality(state) + 1) / 2] + state[2] ELSE 0 END
          WHEN ${stateCodes["token-bucket"]} THEN
            CASE WHEN state[3] > 0 THEN state[2] + (state[3] - 1) / state[6] + 1 ELSE 0 END
          WHEN ${stateCodes["fixed-window"]} THEN CASE WHEN state[4] > 0 THEN state[3] ELSE 0 END
          WHEN ${stateCodes["sliding-counter"]} THEN
            CASE WHEN state[3] > 0 THEN state[2] + 2 * limits[o + 4]
              WHEN state[4] > 0 THEN state[2] + limits[o + 4] ELSE 0 END
          ELSE ${fn("concurrent_blank_at")}(state)
        END`;

/**
 * The one function that a batch calls.
 *
 * `partition_ids` and `state_ids` name the states that the requests speak of by their place in these arrays, from 1 up.
 * `limits` holds descriptions of limits, which the requests name by where they begin. `requests` is a flat list:
 *
 * - admit, plain and peek: `kind, count, (state, limits, need, spend)…`
 * - adjust: `kind, count, (state, limits, spend, refunds, renewals, (amount, charged at, mark)…, (mark)…)…`
 * A state is negative where the batch names another one of its unit and partition.
 * - reset: `kind, count, (state)…`, which forgets all states of that state's partition
 *
 * It answers `{now, answer…}`. An answer is its kind, and then for each state asked for its mark and three readings a limit:
 * remaining, wait, reset. Where a state is corrupt or the clocks differ, nothing follows but which one it was, from 0
 * up; such a request changes nothing.
 *
 * Requests are decided in their order. The locks, sorted by the caller, are held until all has been written: each
 * request is atomic, and two batches never wait for each other in a circle.
 */
export function applySql(names: SqlNames): string {
  const { fn, table, slotType, lockClass } = names;
  return `
CREATE OR REPLACE FUNCTION ${fn("is_sound")}(state bigint[], code bigint)
RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $function$
  SELECT state[1] = code AND CASE code
    WHEN ${stateCodes["sliding-window"]} THEN cardinality(state) >= 3 AND cardinality(state) % 2 = 1
    WHEN ${stateCodes["token-bucket"]} THEN cardinality(state) = 6
    WHEN ${stateCodes["sliding-counter"]} THEN cardinality(state) = 5
    WHEN ${stateCodes.concurrent} THEN cardinality(state) >= 2 AND cardinality(state) % 3 = 2
    ELSE cardinality(state) = 4
  END
$function$;

CREATE OR REPLACE FUNCTION ${fn("read_blank")}(limits bigint[], o int, need bigint)
RETURNS bigint[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $function$
DECLARE
  readings bigint[] := '{}';
BEGIN
  FOR i IN o + 3 .. o + 1 + 2 * limits[o + 1] BY 2 LOOP
    readings := readings || ARRAY[limits[i], CASE WHEN need > limits[i] THEN ${never} ELSE 0 END, 0];
  END LOOP;
  RETURN readings;
END $function$;

CREATE OR REPLACE FUNCTION ${fn("apply")}(
  partition_ids uuid[], state_ids bigint[], limits bigint[], requests bigint[], locks int[], at bigint
)
RETURNS bigint[] LANGUAGE plpgsql VOLATILE
SET enable_seqscan = off SET enable_bitmapscan = off SET plan_cache_mode = force_generic_plan SET jit = off
-- Plans are kept: one made while the table was small must not read all of it once it is large, and no plan is worth
-- compiling.
AS $function$
DECLARE
  slots ${slotType}[];
  answers bigint[];
  answer bigint[];
  state bigint[];
  kind int;
  count int;
  admitted boolean;
  draft boolean;
  before ${slotType}[];
  -- Whether all states of the units are at hand, and of which slots there are several; what those begin with that have none.
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
BEGIN
  PERFORM pg_advisory_xact_lock(${lockClass}, key) FROM unnest(locks) AS key;
  at := coalesce(at, floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint);
  slots := ARRAY(
    SELECT ROW(coalesce((
      SELECT p.state FROM ${table} AS p
      WHERE p.partition_id = asked.partition_id AND p.state_id = asked.state_id AND p.expires_at > at
    ), (
      -- It is missing, but others of its unit are there.
      SELECT '{-1}'::bigint[] FROM ${table} AS p
      WHERE p.partition_id = asked.partition_id AND p.state_id >> 40 = asked.state_id >> 40 AND p.expires_at > at
      LIMIT 1
    )), 0, false)::${slotType}
    FROM unnest(partition_ids, state_ids) WITH ORDINALITY AS asked(partition_id, state_id, n)
    ORDER BY asked.n
  );
  answers := ARRAY[at];

  WHILE i < cardinality(requests) LOOP
    kind := requests[i];
    count := requests[i + 1];
    i := i + 2;
${plainSql(names)}
    IF kind = ${requestKinds.reset} THEN
      FOR g IN i .. i + count - 1 LOOP
        s := requests[g];
        DELETE FROM ${table} AS p WHERE p.partition_id = partition_ids[s];
        FOR n IN 1 .. cardinality(slots) LOOP
          IF partition_ids[n] = partition_ids[s] THEN slots[n] := ROW(NULL, 0, false)::${slotType}; END IF;
        END LOOP;
      END LOOP;
      i := i + count;
      answers := answers || ${answerKinds.admitted}::bigint;
      CONTINUE;
    END IF;

    -- First look, then spend: all that could go wrong goes wrong before anything has changed.
    admitted := true;
    answer := NULL;
    begun := NULL;
    named := '{}';
    amounts := '{}';
    j := i;
    FOR g IN 0 .. count - 1 LOOP
      s := abs(requests[j]);
      o := requests[j + 1];
      code := limits[o];
      IF NOT gathered AND (requests[j] < 0 OR slots[s].state[1] NOT BETWEEN 1 AND ${inCompany - 1}) THEN
        SELECT * INTO partition_ids, state_ids, slots, company FROM ${fn("gather")}(partition_ids, state_ids, slots, at);
        gathered := true;
      END IF;
      state := slots[s].state;
      IF state IS NULL AND company[s] THEN
        state := ${fn("begin_from")}(ARRAY(
          SELECT slots[n] FROM unnest(${fn("mates_of")}(partition_ids, state_ids, slots, s)) AS n
        ), limits, o, at);
        begun[s] := ROW(state, 0, false)::${slotType};
      END IF;
      IF state IS NOT NULL AND NOT ${fn("is_sound")}(state, code) THEN
        answer := ARRAY[${answerKinds.corrupt}, g];
      ELSIF code = ${stateCodes["fixed-window"]} AND limits[o + 5] = ${edgeKinds.calendar}
        AND (at < limits[o + 6] OR at >= limits[o + 10]) THEN
        answer := ARRAY[${answerKinds.clocksApart}, g];
      ELSIF kind <> ${requestKinds.adjust} AND requests[j + 2] > 0 THEN
        IF state IS NULL THEN
          FOR n IN o + 3 .. o + 1 + 2 * limits[o + 1] BY 2 LOOP
            IF requests[j + 2] > limits[n] THEN admitted := false; END IF;
          END LOOP;
        ELSE
          ${byAlgorithm((name) => `wait := ${fn(`${name}_wait`)}(state, limits, o, at, requests[j + 2]);`)}
          IF wait > 0 THEN admitted := false; END IF;
        END IF;
      END IF;
      IF kind = ${requestKinds.adjust} THEN
        j := j + 5 + 3 * requests[j + 3] + requests[j + 4];
      ELSE
        j := j + 4;
      END IF;
    END LOOP;
    IF answer IS NOT NULL THEN
      answers := answers || answer;
      i := j;
      CONTINUE;
    END IF;

    answers := answers || (CASE WHEN admitted THEN ${answerKinds.admitted} ELSE ${answerKinds.refused} END)::bigint;
    FOR g IN 0 .. count - 1 LOOP
      s := abs(requests[i]);
      o := requests[i + 1];
      code := limits[o];
      state := slots[s].state;
      -- Whether it is a state that was only begun, and is not stored before it is charged or refuses.
      draft := state IS NULL AND gathered AND begun[s].state IS NOT NULL;
      IF draft THEN state := begun[s].state; END IF;
      IF kind = ${requestKinds.adjust} THEN
        amount := requests[i + 2];
        j := i + 5;
        k := j + 3 * requests[i + 3];
        i := k + requests[i + 4];
        IF state IS NOT NULL AND NOT draft THEN
          WHILE j < k LOOP
            IF code = ${stateCodes["sliding-window"]} THEN
              state := ${fn("sliding_window_refund")}(state, requests[j], requests[j + 1] + requests[j + 2]);
            ELSIF code = ${stateCodes["token-bucket"]} THEN
              state := ${fn("token_bucket_refund")}(
                state, limits, o, at, requests[j], requests[j + 1], requests[j + 2]
              );
            ELSIF code = ${stateCodes["fixed-window"]} THEN
              state := ${fn("fixed_window_refund")}(state, requests[j], requests[j + 2]);
            ELSIF code = ${stateCodes["sliding-counter"]} THEN
              state := ${fn("sliding_counter_refund")}(state, limits, o, requests[j], requests[j + 2]);
            ELSIF code = ${stateCodes.concurrent} THEN
              state := ${fn("concurrent_refund")}(state, requests[j], requests[j + 2]);
            END IF;
            j := j + 3;
          END LOOP;
          WHILE j < i LOOP
            state := ${fn("concurrent_renew")}(state, limits, o, at, requests[j]);
            j := j + 1;
          END LOOP;
        END IF;
      ELSE
        amount := CASE WHEN admitted AND kind = ${requestKinds.admit} THEN requests[i + 3] ELSE 0 END;
        i := i + 4;
      END IF;
      IF amount > 0 THEN
        ${byAlgorithm((name) => `state := ${fn(`${name}_charge`)}(state, limits, o, at, amount);`)}
      END IF;
      IF kind = ${requestKinds.admit} AND NOT admitted AND NOT draft AND code = ${stateCodes["token-bucket"]}
        AND state IS NOT NULL AND (state[5] <> limits[o + 5] OR state[6] <> limits[o + 6]) THEN
        state := ${fn("token_bucket_adapt")}(state, limits, o, at);
        slots[s] := ROW(state, ${blankAt(names)}, true)::${slotType};
      END IF;
      IF amount > 0 OR (kind = ${requestKinds.adjust} AND state IS NOT NULL AND NOT draft)
        OR (draft AND kind = ${requestKinds.admit} AND NOT admitted) THEN
        -- With the cast, or PL/pgSQL would write the row as text and read it again.
        slots[s] := ROW(state, ${blankAt(names)}, true)::${slotType};
      END IF;
      need := CASE WHEN kind = ${requestKinds.adjust} OR (admitted AND kind = ${requestKinds.admit}) THEN 0
        ELSE requests[i - 2] END;
      mark := CASE WHEN amount > 0 THEN ${markOf} ELSE 0 END;
      IF state IS NULL THEN
        answer := ${fn("read_blank")}(limits, o, need);
      ELSE
        ${byAlgorithm((name) => `answer := ${fn(`${name}_read`)}(state, limits, o, at, need);`)}
      END IF;
      answers := answers || (mark || answer);
      IF gathered THEN
        named := named || s;
        amounts := amounts || amount;
      END IF;
    END LOOP;
    IF gathered AND kind <> ${requestKinds.peek} THEN
      slots := ${fn("charge_company")}(partition_ids, state_ids, slots, named, amounts, at);
    END IF;
  END LOOP;
  IF gathered THEN slots := ${fn("mark_company")}(partition_ids, state_ids, slots, company); END IF;

  IF EXISTS (SELECT FROM generate_subscripts(slots, 1) AS n WHERE slots[n].changed) THEN
    -- What a crash of the server may lose is the last moment: nobody waits for its disk.
    PERFORM set_config('synchronous_commit', 'off', true);
    INSERT INTO ${table} AS p (partition_id, state_id, state, expires_at)
    SELECT partition_ids[n], state_ids[n], coalesce(slots[n].state, '{}'), slots[n].expires_at
    FROM generate_subscripts(slots, 1) AS n
    WHERE slots[n].changed
    ON CONFLICT (partition_id, state_id) DO UPDATE SET state = EXCLUDED.state, expires_at = EXCLUDED.expires_at;
  END IF;
  RETURN answers;
END $function$;
`;
}
