import { mostStatesOfUnit } from "../../../core/conversion.ts";
import { edgeKinds, inCompany, stateCodes } from "./codes.ts";
import type { SqlNames } from "./names.ts";

const log = stateCodes["sliding-window"];
const coarse = stateCodes["coarse-log"];
const bucket = stateCodes["token-bucket"];
const fixed = stateCodes["fixed-window"];
const counter = stateCodes["sliding-counter"];

/**
 * core/conversion.ts in PL/pgSQL: a new state of a unit starts from the partition's other states of that unit. All of
 * them are charged together and expire together, even those that the current limits do not use. Their ids begin with
 * the unit, so that they can be found.
 *
 * While a partition has several states of a unit, each is stored with a code that is greater by 16. A decision that
 * finds no such code needs none of the following functions.
 */
export function conversionSql(names: SqlNames): string {
  return `${beginningSql(names)}${companySql(names)}`;
}

/** The initial value of a state, if there are other states of its unit. */
const beginningSql = ({ fn, slotType }: SqlNames) => `
CREATE OR REPLACE FUNCTION ${fn("state_blank_at")}(state bigint[])
RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $function$
  SELECT CASE state[1]
    WHEN ${log} THEN
      CASE WHEN cardinality(state) > 3 THEN state[(cardinality(state) + 1) / 2] + state[2] ELSE 0 END
    WHEN ${coarse} THEN
      CASE WHEN cardinality(state) > 3 THEN state[(cardinality(state) + 1) / 2] + state[2] ELSE 0 END
    WHEN ${bucket} THEN CASE WHEN state[3] > 0 THEN state[2] + (state[3] - 1) / state[6] + 1 ELSE 0 END
    WHEN ${fixed} THEN CASE WHEN state[4] > 0 THEN state[3] ELSE 0 END
    WHEN ${counter} THEN
      CASE WHEN state[3] > 0 THEN state[2] + 2 * state[5] WHEN state[4] > 0 THEN state[2] + state[5] ELSE 0 END
    ELSE 0
  END
$function$;

-- How many units were spent after a moment, as far as a state shows.
CREATE OR REPLACE FUNCTION ${fn("spent_after")}(state bigint[], at bigint, after bigint)
RETURNS bigint LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $function$
DECLARE
  n int;
  level bigint;
  here bigint[];
BEGIN
  IF state[1] IN (${log}, ${coarse}) THEN
    n := (cardinality(state) - 3) / 2;
    -- Ignore units that have left a coarse log's window: the log drops them at different times, depending on the
    -- requests.
    IF state[1] = ${coarse} THEN after := greatest(after, at - state[2]); END IF;
    RETURN state[cardinality(state)] - state[n + 3 + width_bucket(after, state[3:n + 2])];
  ELSIF state[1] = ${bucket} THEN
    level := ${fn("token_bucket_drained")}(state, at);
    IF level = 0 THEN RETURN 0; END IF;
    RETURN ceil(
      level::float8 / state[5] + state[6]::float8 / state[5] * greatest(0, least(at - after, at - state[4]))
    )::bigint;
  ELSIF state[1] = ${fixed} THEN
    RETURN CASE WHEN at < state[3] THEN state[4] ELSE 0 END;
  END IF;
  here := ${fn("sliding_counter_at")}(state, state[5], at);
  RETURN CASE WHEN after < here[2] - 1 THEN here[3] + here[4] ELSE here[3] END;
END $function$;

-- The initial value of a state: the highest count among the other states of its unit; null if there is none.
CREATE OR REPLACE FUNCTION ${fn("begin_from")}(mates ${slotType}[], limits bigint[], o int, at bigint)
RETURNS bigint[] LANGUAGE plpgsql STABLE PARALLEL SAFE AS $function$
DECLARE
  code bigint := limits[o];
  span bigint := limits[o + 4];
  after bigint;
  spent bigint := 0;
  state bigint[];
  begun bigint[];
BEGIN
  after := CASE code
    WHEN ${log} THEN at - limits[o + 2]
    WHEN ${coarse} THEN at - limits[o + 2]
    WHEN ${fixed} THEN CASE limits[o + 5]
      WHEN ${edgeKinds.firstUse} THEN at - span
      WHEN ${edgeKinds.steps} THEN at - ((at % span) + span) % span - 1
      ELSE limits[o + 5 + width_bucket(at, limits[o + 6:o + 10])] - 1
    END
    WHEN ${counter} THEN at - ((at % span) + span) % span - span - 1
    ELSE at - span
  END;
  IF mates IS NULL THEN RETURN NULL; END IF;
  FOR n IN 1 .. cardinality(mates) LOOP
    state := mates[n].state;
    CONTINUE WHEN ${fn("state_blank_at")}(state) <= at OR (code = ${bucket} AND state[1] = ${bucket});
    spent := greatest(spent, ${fn("spent_after")}(state, at, after));
  END LOOP;
  IF spent > 0 THEN
    begun := CASE code
      WHEN ${log} THEN ${fn("sliding_window_charge")}(NULL, limits, o, at, spent)
      WHEN ${coarse} THEN ${fn("coarse_log_charge")}(NULL, limits, o, at, spent)
      WHEN ${bucket} THEN ${fn("token_bucket_charge")}(NULL, limits, o, at, spent)
      WHEN ${fixed} THEN ${fn("fixed_window_charge")}(NULL, limits, o, at, spent)
      ELSE ${fn("sliding_counter_charge")}(NULL, limits, o, at, spent)
    END;
  END IF;
  IF code = ${bucket} THEN
    FOR n IN 1 .. cardinality(mates) LOOP
      state := mates[n].state;
      IF state[1] = ${bucket} AND ${fn("state_blank_at")}(state) > at THEN
        begun := ${fn("token_bucket_adopt")}(begun, state, limits, o, at);
      END IF;
    END LOOP;
  END IF;
  IF ${fn("state_blank_at")}(begun) > at THEN RETURN begun; END IF;
  RETURN NULL;
END $function$;

`;

/** The states that share a unit: they are found, charged and stored together. */
const companySql = ({
  fn,
  slotType,
  table,
}: SqlNames) => `-- Charges a state that has counts, for a request that other limits decided.
CREATE OR REPLACE FUNCTION ${fn("charge_along")}(state bigint[], at bigint, amount bigint)
RETURNS bigint[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $function$
BEGIN
  IF state[1] = ${log} THEN
    RETURN ${fn("sliding_window_charge")}(state, ARRAY[${log}, 0, 0]::bigint[], 1, at, amount);
  ELSIF state[1] = ${coarse} THEN
    RETURN ${fn("coarse_log_charge")}(state, ARRAY[${coarse}, 0, state[2]], 1, at, amount);
  ELSIF state[1] = ${bucket} THEN
    RETURN ${fn("token_bucket_charge_along")}(state, at, amount);
  ELSIF state[1] = ${fixed} THEN
    RETURN state[1:3] || (state[4] + amount);
  END IF;
  RETURN ${fn("sliding_counter_charge")}(state, ARRAY[${counter}, 1, state[5], 0, state[5]], 1, at, amount);
END $function$;

-- The other slots with the partition and unit of slot s.
CREATE OR REPLACE FUNCTION ${fn("mates_of")}(partition_ids uuid[], state_ids bigint[], slots ${slotType}[], s int)
RETURNS int[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $function$
  SELECT array_agg(n::int ORDER BY n) FROM unnest(partition_ids, state_ids) WITH ORDINALITY AS one(partition_id, state_id, n)
  WHERE n <> s AND partition_id = partition_ids[s] AND state_id >> 40 = state_ids[s] >> 40 AND (slots[n]).state IS NOT NULL
$function$;

-- The slots of a batch, followed by those of all other states of the same units. The codes are those of
-- states without companions.
CREATE OR REPLACE FUNCTION ${fn("gather")}(
  INOUT partition_ids uuid[], INOUT state_ids bigint[], INOUT slots ${slotType}[], at bigint, OUT company boolean[]
)
LANGUAGE plpgsql STABLE AS $function$
DECLARE
  found record;
  code bigint;
BEGIN
  FOR found IN
    SELECT p.partition_id, p.state_id, p.state FROM ${table} AS p
    WHERE p.partition_id = ANY (SELECT DISTINCT unnest(partition_ids)) AND p.expires_at > at
      AND EXISTS (
        SELECT FROM unnest(partition_ids, state_ids) AS asked(partition_id, state_id)
        WHERE asked.partition_id = p.partition_id AND asked.state_id >> 40 = p.state_id >> 40
      )
      AND NOT EXISTS (
        SELECT FROM unnest(partition_ids, state_ids) AS asked(partition_id, state_id)
        WHERE asked.partition_id = p.partition_id AND asked.state_id = p.state_id
      )
    ORDER BY p.partition_id, p.state_id
  LOOP
    partition_ids := partition_ids || found.partition_id;
    state_ids := state_ids || found.state_id;
    slots := slots || ROW(found.state, 0, false)::${slotType};
  END LOOP;
  FOR n IN 1 .. cardinality(slots) LOOP
    code := slots[n].state[1];
    IF code = -1 THEN slots[n] := ROW(NULL, 0, slots[n].changed)::${slotType};
    ELSIF code BETWEEN ${inCompany + 1} AND ${2 * inCompany - 1} THEN slots[n].state[1] := code - ${inCompany};
    END IF;
  END LOOP;
  company := ARRAY(
    SELECT count(*) OVER (PARTITION BY partition_id, state_id >> 40) > 1
    FROM unnest(partition_ids, state_ids) WITH ORDINALITY AS one(partition_id, state_id, n) ORDER BY n
  );
END $function$;

-- Writes a request's charges to the states that other limits left, drops those that are blank and those above the maximum number,
-- and marks all states of the units to be stored again, with the same expiry.
CREATE OR REPLACE FUNCTION ${fn("charge_company")}(
  partition_ids uuid[], state_ids bigint[], INOUT slots ${slotType}[], named int[], amounts bigint[], at bigint
)
LANGUAGE plpgsql STABLE AS $function$
DECLARE
  mates int[];
  done int[] := '{}';
  room int;
  m int;
  s int;
  latest bigint;
BEGIN
  FOR g IN 1 .. cardinality(named) LOOP
    s := named[g];
    CONTINUE WHEN slots[s].state IS NULL OR s = ANY (done);
    mates := ${fn("mates_of")}(partition_ids, state_ids, slots, s);
    done := done || s || mates;
    CONTINUE WHEN mates IS NULL;
    IF amounts[g] > 0 THEN
      room := ${mostStatesOfUnit - 1} - (SELECT count(*) FROM unnest(mates) AS mate WHERE mate = ANY (named));
      FOR m IN
        SELECT mate FROM unnest(mates) AS mate WHERE mate <> ALL (named)
        ORDER BY ${fn("state_blank_at")}((slots[mate]).state) DESC
      LOOP
        IF ${fn("state_blank_at")}(slots[m].state) <= at OR room <= 0 THEN
          slots[m] := ROW(NULL, 0, true)::${slotType};
        ELSE
          slots[m] := ROW(${fn("charge_along")}(slots[m].state, at, amounts[g]), 0, true)::${slotType};
          room := room - 1;
        END IF;
      END LOOP;
    END IF;
    CONTINUE WHEN NOT slots[s].changed AND NOT (SELECT bool_or((slots[mate]).changed) FROM unnest(mates) AS mate);
    latest := (SELECT max(${fn("state_blank_at")}((slots[mate]).state)) FROM unnest(mates || s) AS mate);
    FOREACH m IN ARRAY mates || s LOOP
      IF slots[m].state IS NOT NULL THEN slots[m] := ROW(slots[m].state, latest, true)::${slotType}; END IF;
    END LOOP;
  END LOOP;
END $function$;

-- Marks the states that are stored with others of their unit.
CREATE OR REPLACE FUNCTION ${fn("mark_company")}(partition_ids uuid[], state_ids bigint[], INOUT slots ${slotType}[], company boolean[])
LANGUAGE plpgsql STABLE AS $function$
DECLARE
  marked int[] := '{}';
  n int;
BEGIN
  FOR n IN 1 .. cardinality(slots) LOOP
    IF company[n] AND slots[n].changed AND slots[n].state IS NOT NULL
      AND ${fn("mates_of")}(partition_ids, state_ids, slots, n) IS NOT NULL THEN
      marked := marked || n;
    END IF;
  END LOOP;
  FOREACH n IN ARRAY marked LOOP slots[n].state[1] := slots[n].state[1] + ${inCompany}; END LOOP;
END $function$;
`;

// Parts of the statements of the `apply` function.

/**
 * Reads all states of the batch's units, if slot `s`, which the request names at index `j`, shares its unit with
 * others.
 */
export const gatherSql = ({ fn }: SqlNames) => `
          IF NOT gathered AND (requests[j] < 0 OR slots[s].state[1] NOT BETWEEN 1 AND ${inCompany - 1}) THEN
            SELECT * INTO partition_ids, state_ids, slots, company
            FROM ${fn("gather")}(partition_ids, state_ids, slots, at);
            gathered := true;
          END IF;`;

/**
 * Sets `state` to the state of slot `s`. If it is missing and there are others of its unit, sets it to its initial
 * value.
 */
export const beginSql = ({ fn, slotType }: SqlNames) => `
          state := slots[s].state;
          IF state IS NULL AND company[s] THEN
            state := ${fn("begin_from")}(ARRAY(
              SELECT slots[n] FROM unnest(${fn("mates_of")}(partition_ids, state_ids, slots, s)) AS n
            ), limits, o, at);
            begun[s] := ROW(state, 0, false)::${slotType};
          END IF;`;

/**
 * For a refused request: stores the converted state of slot `s` if limits have changed. A reported wait must stay true.
 */
export const keepChangesSql = ({ fn, slotType }: SqlNames) => `
        IF slots[s].state IS NULL THEN
          IF begun[s].state IS NOT NULL THEN
            state := begun[s].state;
            slots[s] := ROW(state, ${fn("state_blank_at")}(state), true)::${slotType};
          END IF;
        ELSIF code = ${log} AND slots[s].state[2] < limits[o + 2] AND cardinality(slots[s].state) > 3 THEN
          -- A wider window may have reported a wait: keep the log as long as that window.
          state := slots[s].state;
          state[2] := limits[o + 2];
          slots[s] := ROW(state, ${fn("state_blank_at")}(state), true)::${slotType};
        ELSIF code = ${bucket} AND (slots[s].state[5] <> limits[o + 5] OR slots[s].state[6] <> limits[o + 6]) THEN
          state := ${fn("token_bucket_adapt")}(slots[s].state, limits, o, at);
          slots[s] := ROW(state, ${fn("state_blank_at")}(state), true)::${slotType};
        END IF;`;
