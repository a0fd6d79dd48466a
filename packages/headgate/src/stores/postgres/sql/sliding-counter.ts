import { never, stateCodes } from "./codes.ts";
import type { SqlNames } from "./names.ts";

/**
 * core/algorithms/sliding-counter.ts in PL/pgSQL. The state is `{4, start, current, previous, window}`; the limit is described
 * from `o` on by `{4, 1, window, quota, window}`. Products are numeric: two large numbers exceed a bigint.
 */
export function slidingCounterSql({ fn }: SqlNames): string {
  const code = stateCodes["sliding-counter"];
  return `
CREATE OR REPLACE FUNCTION ${fn("sliding_counter_at")}(state bigint[], span bigint, at bigint)
RETURNS bigint[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $function$
DECLARE
  start bigint := at - ((at % span) + span) % span;
BEGIN
  IF state[2] >= start THEN RETURN state; END IF;
  RETURN ARRAY[${code}, start, 0, CASE WHEN state[2] + span = start THEN state[3] ELSE 0 END, span];
END $function$;

-- For the current step of "state".
CREATE OR REPLACE FUNCTION ${fn("sliding_counter_free")}(state bigint[], quota bigint, span bigint, at bigint)
RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $function$
  SELECT (quota - state[3] - div(state[4]::numeric * greatest(0, span - (at - state[2])) + span - 1, span))::bigint
$function$;

CREATE OR REPLACE FUNCTION ${fn("sliding_counter_wait")}(state bigint[], limits bigint[], o int, at bigint, need bigint)
RETURNS bigint LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $function$
DECLARE
  quota bigint := limits[o + 3];
  span bigint := limits[o + 4];
  here bigint[];
  start bigint;
  previous bigint;
  room bigint;
  earliest bigint;
BEGIN
  IF need > quota THEN RETURN ${never}; END IF;
  here := ${fn("sliding_counter_at")}(state, span, at);
  start := here[2];
  -- If this step has room at all, the wait ends within it. Otherwise it ends in the next step, where the current count
  -- becomes the previous one.
  IF here[3] + need <= quota THEN
    previous := here[4];
    room := quota - here[3] - need;
    earliest := at;
  ELSE
    start := start + span;
    previous := here[3];
    room := quota - need;
    earliest := start;
  END IF;
  IF previous = 0 THEN RETURN earliest - at; END IF;
  -- The wait until the previous step's share has shrunk to the room that is left.
  RETURN greatest(earliest, start + span - div(room::numeric * span, previous)::bigint) - at;
END $function$;

CREATE OR REPLACE FUNCTION ${fn("sliding_counter_read")}(state bigint[], limits bigint[], o int, at bigint, need bigint)
RETURNS bigint[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $function$
DECLARE
  quota bigint := limits[o + 3];
  here bigint[] := ${fn("sliding_counter_at")}(state, limits[o + 4], at);
  remaining bigint := greatest(0, ${fn("sliding_counter_free")}(here, quota, limits[o + 4], at));
BEGIN
  RETURN ARRAY[
    remaining,
    CASE WHEN need = 0 THEN 0 ELSE ${fn("sliding_counter_wait")}(state, limits, o, at, need) END,
    CASE WHEN remaining = quota THEN 0 ELSE ${fn("sliding_counter_wait")}(state, limits, o, at, remaining + 1) END
  ];
END $function$;

CREATE OR REPLACE FUNCTION ${fn("sliding_counter_charge")}(state bigint[], limits bigint[], o int, at bigint, amount bigint)
RETURNS bigint[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $function$
DECLARE
  here bigint[] := ${fn("sliding_counter_at")}(coalesce(state, ARRAY[${code}, 0, 0, 0, limits[o + 4]]), limits[o + 4], at);
BEGIN
  here[3] := here[3] + amount;
  RETURN here;
END $function$;

CREATE OR REPLACE FUNCTION ${fn("sliding_counter_refund")}(state bigint[], limits bigint[], o int, amount bigint, mark bigint)
RETURNS bigint[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $function$
BEGIN
  IF state[2] = mark THEN
    RETURN ARRAY[${code}, state[2], greatest(0, state[3] - amount), state[4], state[5]];
  ELSIF state[2] - limits[o + 4] = mark THEN
    RETURN ARRAY[${code}, state[2], state[3], greatest(0, state[4] - amount), state[5]];
  END IF;
  RETURN state;
END $function$;
`;
}
