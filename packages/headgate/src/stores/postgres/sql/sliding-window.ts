import { highTotal, largestUsualQuota, never, stateCodes } from "./codes.ts";
import type { SqlNames } from "./names.ts";

/**
 * core/algorithms/sliding-window.ts in PL/pgSQL. The state is `{1, span, stamps…, base, totals…}`: `span` is the widest
 * window that ever charged it, `base` is the amount spent before the oldest stamp, and each total is the amount spent
 * up to and including its stamp. `width_bucket` searches a sorted array in C: it returns how many elements are at most
 * a value.
 *
 * From index `o` on, limits are `{1, count, widest window, quota, window, quota, window, …}`.
 */
export function slidingWindowSql({ fn }: SqlNames): string {
  const code = stateCodes["sliding-window"];
  return `
CREATE OR REPLACE FUNCTION ${fn("sliding_window_wait")}(state bigint[], limits bigint[], o int, at bigint, need bigint)
RETURNS bigint LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $function$
DECLARE
  size int := cardinality(state);
  n int := (size - 3) / 2;
  total bigint := state[size];
  totals bigint[] := state[n + 3:size];
  longest bigint := 0;
  wait bigint;
  quota bigint;
  j int;
BEGIN
  FOR i IN o + 3 .. o + 1 + 2 * limits[o + 1] BY 2 LOOP
    quota := limits[i];
    IF need > quota THEN RETURN ${never}; END IF;
    -- The newest stamp that must leave before the needed units fit.
    j := width_bucket(total - quota + need - 1, totals);
    IF j > 0 THEN
      wait := state[j + 2] + limits[i + 1] - at;
      IF wait > longest THEN longest := wait; END IF;
    END IF;
  END LOOP;
  RETURN longest;
END $function$;

CREATE OR REPLACE FUNCTION ${fn("sliding_window_read")}(state bigint[], limits bigint[], o int, at bigint, need bigint)
RETURNS bigint[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $function$
DECLARE
  size int := cardinality(state);
  n int := (size - 3) / 2;
  total bigint := state[size];
  stamps bigint[] := state[3:n + 2];
  readings bigint[] := '{}';
  quota bigint;
  span bigint;
  spent bigint;
  wait bigint;
  reset bigint;
  j int;
BEGIN
  FOR i IN o + 3 .. o + 1 + 2 * limits[o + 1] BY 2 LOOP
    quota := limits[i];
    span := limits[i + 1];
    wait := 0;
    IF need > quota THEN
      wait := ${never};
    ELSIF need > 0 THEN
      j := width_bucket(total - quota + need - 1, state[n + 3:size]);
      IF j > 0 THEN wait := greatest(0, stamps[j] + span - at); END IF;
    END IF;
    j := width_bucket(at - span, stamps);
    IF j = n THEN
      spent := 0;
      reset := 0;
    ELSE
      spent := total - state[n + 3 + j];
      -- In debt: no unit is free until the debt itself has left the window.
      IF spent > quota THEN j := width_bucket(total - quota, state[n + 3:size]) - 1; END IF;
      reset := stamps[j + 1] + span - at;
    END IF;
    readings := readings || ARRAY[greatest(0, quota - spent), wait, reset];
  END LOOP;
  RETURN readings;
END $function$;

-- When there are twice as many entries as any limit needs, merges pairs in the older half: each entry joins the next,
-- so its units leave a little later.
CREATE OR REPLACE FUNCTION ${fn("sliding_window_merge")}(state bigint[], limits bigint[], o int, dropped int)
RETURNS bigint[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $function$
DECLARE
  n int := (cardinality(state) - 3) / 2;
  most bigint := ${largestUsualQuota};
  older bigint;
  stamps bigint[];
  totals bigint[];
BEGIN
  FOR i IN o + 3 .. o + 1 + 2 * limits[o + 1] BY 2 LOOP most := greatest(most, limits[i]); END LOOP;
  older := (n - dropped - most) / 2 * 2;
  IF older < most THEN older := 0; END IF;
  SELECT array_agg(state[i + 2] ORDER BY i), array_agg(state[n + 3 + i] ORDER BY i) INTO stamps, totals
  FROM generate_series(dropped + 1, n) AS i
  WHERE i - dropped > older OR (i - dropped) % 2 = 0;
  RETURN state[1:2] || stamps || state[n + 3 + dropped] || totals;
END $function$;

CREATE OR REPLACE FUNCTION ${fn("sliding_window_charge")}(state bigint[], limits bigint[], o int, at bigint, amount bigint)
RETURNS bigint[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $function$
DECLARE
  size int := cardinality(state);
  n int := (size - 3) / 2;
  total bigint := state[size];
  span bigint := greatest(state[2], limits[o + 2]);
  dropped int;
BEGIN
  IF state IS NULL OR n = 0 OR state[n + 2] <= at - span THEN RETURN ARRAY[${code}, span, at, 0, amount]; END IF;
  IF total > ${highTotal} THEN
    -- If running totals come close to the end of their range, they restart from the units that still count.
    state := state[1:n + 2] || ARRAY(
      SELECT running - state[n + 3] FROM unnest(state[n + 3:size]) WITH ORDINALITY AS t(running, i) ORDER BY i
    );
    total := state[size];
  END IF;
  dropped := width_bucket(at - span, state[3:n + 2]);
  IF n - dropped >= ${2 * largestUsualQuota} THEN
    state := ${fn("sliding_window_merge")}(state, limits, o, dropped);
    size := cardinality(state);
    n := (size - 3) / 2;
    dropped := 0;
  END IF;
  -- Charges of one millisecond share a stamp. So do charges after the clock was set back.
  IF state[n + 2] >= at THEN
    RETURN ARRAY[${code}, span] || state[3 + dropped:n + 2] || state[n + 3 + dropped:size - 1] || (total + amount);
  END IF;
  RETURN ARRAY[${code}, span] || state[3 + dropped:n + 2] || at || state[n + 3 + dropped:size] || (total + amount);
END $function$;

CREATE OR REPLACE FUNCTION ${fn("sliding_window_refund")}(state bigint[], amount bigint, stamp bigint)
RETURNS bigint[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $function$
DECLARE
  size int := cardinality(state);
  n int := (size - 3) / 2;
  i int := width_bucket(stamp - 1, state[3:n + 2]) + 1;
  weight bigint;
  given bigint;
  later bigint[];
BEGIN
  IF i > n OR state[i + 2] <> stamp THEN RETURN state; END IF;
  weight := state[n + 3 + i] - state[n + 2 + i];
  given := least(amount, weight);
  later := ARRAY(
    SELECT running - given FROM unnest(state[n + 3 + i:size]) WITH ORDINALITY AS t(running, k) ORDER BY k
  );
  IF given < weight THEN RETURN state[1:n + 2 + i] || later; END IF;
  RETURN state[1:i + 1] || state[i + 3:n + 2] || state[n + 3:n + 2 + i] || later[2:];
END $function$;
`;
}
