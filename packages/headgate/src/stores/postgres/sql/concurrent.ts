import { never, stateCodes } from "./codes.ts";
import type { SqlNames } from "./names.ts";

/**
 * core/algorithms/concurrent.ts in PL/pgSQL. The state is `{5, next id, id, weight, expiry, id, weight, expiry, …}`; the
 * limit is described from `o` on by `{5, 1, window, quota, window}`.
 *
 * Ids begin at the time in 256ths of a millisecond: a state that was forgotten and begins anew does not give an id again, so that
 * a lease that ended long ago cannot release somebody else's.
 */
export function concurrentSql({ fn }: SqlNames): string {
  const code = stateCodes.concurrent;
  return `
CREATE OR REPLACE FUNCTION ${fn("concurrent_weight")}(state bigint[], at bigint)
RETURNS bigint LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $function$
DECLARE
  weight bigint := 0;
BEGIN
  FOR i IN 3 .. cardinality(state) BY 3 LOOP
    IF state[i + 2] > at THEN weight := weight + state[i + 1]; END IF;
  END LOOP;
  RETURN weight;
END $function$;

CREATE OR REPLACE FUNCTION ${fn("concurrent_blank_at")}(state bigint[])
RETURNS bigint LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $function$
DECLARE
  latest bigint := 0;
BEGIN
  FOR i IN 5 .. cardinality(state) BY 3 LOOP latest := greatest(latest, state[i]); END LOOP;
  RETURN latest;
END $function$;

CREATE OR REPLACE FUNCTION ${fn("concurrent_wait")}(state bigint[], limits bigint[], o int, at bigint, need bigint)
RETURNS bigint LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $function$
DECLARE
  excess bigint;
BEGIN
  IF need > limits[o + 3] THEN RETURN ${never}; END IF;
  excess := ${fn("concurrent_weight")}(state, at) + need - limits[o + 3];
  IF excess <= 0 THEN RETURN 0; END IF;
  RETURN (
    SELECT min(ended.expiry) - at
    FROM (
      SELECT state[i + 2] AS expiry, sum(state[i + 1]) OVER (ORDER BY state[i + 2]) AS freed
      FROM generate_series(3, cardinality(state), 3) AS i
      WHERE state[i + 2] > at
    ) AS ended
    WHERE ended.freed >= excess
  );
END $function$;

CREATE OR REPLACE FUNCTION ${fn("concurrent_read")}(state bigint[], limits bigint[], o int, at bigint, need bigint)
RETURNS bigint[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $function$
DECLARE
  quota bigint := limits[o + 3];
  remaining bigint := greatest(0, quota - ${fn("concurrent_weight")}(state, at));
BEGIN
  RETURN ARRAY[
    remaining,
    CASE WHEN need = 0 THEN 0 ELSE ${fn("concurrent_wait")}(state, limits, o, at, need) END,
    CASE WHEN remaining = quota THEN 0 ELSE ${fn("concurrent_wait")}(state, limits, o, at, remaining + 1) END
  ];
END $function$;

CREATE OR REPLACE FUNCTION ${fn("concurrent_charge")}(state bigint[], limits bigint[], o int, at bigint, amount bigint)
RETURNS bigint[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $function$
DECLARE
  next bigint := greatest(coalesce(state[2], 0), at * 256);
  held bigint[] := ARRAY[${code}, next + 1];
BEGIN
  FOR i IN 3 .. coalesce(cardinality(state), 0) BY 3 LOOP
    IF state[i + 2] > at THEN held := held || state[i:i + 2]; END IF;
  END LOOP;
  RETURN held || ARRAY[next, amount, at + limits[o + 4]];
END $function$;

CREATE OR REPLACE FUNCTION ${fn("concurrent_refund")}(state bigint[], amount bigint, mark bigint)
RETURNS bigint[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $function$
BEGIN
  FOR i IN 3 .. cardinality(state) BY 3 LOOP
    IF state[i] = mark THEN
      IF state[i + 1] <= amount THEN RETURN state[1:i - 1] || state[i + 3:]; END IF;
      state[i + 1] := state[i + 1] - amount;
      RETURN state;
    END IF;
  END LOOP;
  RETURN state;
END $function$;

CREATE OR REPLACE FUNCTION ${fn("concurrent_renew")}(state bigint[], limits bigint[], o int, at bigint, mark bigint)
RETURNS bigint[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $function$
BEGIN
  FOR i IN 3 .. cardinality(state) BY 3 LOOP
    -- One that has ended is not brought back to life: its place may have been taken.
    IF state[i] = mark AND state[i + 2] > at THEN state[i + 2] := greatest(state[i + 2], at + limits[o + 4]); END IF;
  END LOOP;
  RETURN state;
END $function$;
`;
}
