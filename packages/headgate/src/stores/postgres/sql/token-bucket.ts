import { never, stateCodes } from "./codes.ts";
import type { SqlNames } from "./names.ts";

/**
 * core/algorithms/token-bucket.ts in PL/pgSQL. The state is `{2, stamp, level, since, ticks per unit, ticks per
 * millisecond, refunded units}`. From index `o` on, the limit is `{2, 1, window, quota, window, ticks per unit, ticks
 * per millisecond}`.
 *
 * If the clock was set back, the level stays the same until the stamp is reached again: waits begin at the stamp.
 */
export function tokenBucketSql({ fn }: SqlNames): string {
  const code = stateCodes["token-bucket"];
  return `
-- The level, in ticks of the state's own scale.
CREATE OR REPLACE FUNCTION ${fn("token_bucket_drained")}(state bigint[], at bigint)
RETURNS bigint LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $function$
DECLARE
  elapsed bigint := at - state[2];
BEGIN
  IF elapsed <= 0 THEN RETURN state[3]; END IF;
  -- Divide instead of multiplying: after years, the elapsed ticks would exceed a bigint.
  IF elapsed > state[3] / state[6] THEN RETURN 0; END IF;
  RETURN state[3] - elapsed * state[6];
END $function$;

CREATE OR REPLACE FUNCTION ${fn("token_bucket_is_faster")}(state bigint[], limits bigint[], o int)
RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $function$
  SELECT limits[o + 6]::float8 / limits[o + 5] > state[6]::float8 / state[5]
$function$;

-- The level at the stamp, as if the limit had been in force since the bucket was last empty.
CREATE OR REPLACE FUNCTION ${fn("token_bucket_converted")}(state bigint[], limits bigint[], o int)
RETURNS bigint LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $function$
DECLARE
  units float8 := state[3]::float8 / state[5];
  slower float8 := state[6]::float8 / state[5] - limits[o + 6]::float8 / limits[o + 5];
  ms float8 := state[2] - state[4];
BEGIN
  IF slower > 0 AND ms > 0 THEN
    units := greatest(units, least(limits[o + 3]::float8, units + slower * ms));
  END IF;
  RETURN least(ceil(units * limits[o + 5]), ${never}::float8)::bigint;
END $function$;

CREATE OR REPLACE FUNCTION ${fn("token_bucket_level")}(state bigint[], limits bigint[], o int, at bigint)
RETURNS bigint LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $function$
DECLARE
  elapsed bigint := at - state[2];
  level bigint := state[3];
BEGIN
  IF elapsed > 0 THEN
    IF elapsed > level / state[6] THEN RETURN 0; END IF;
    level := level - elapsed * state[6];
  END IF;
  IF level = 0 OR (state[5] = limits[o + 5] AND state[6] = limits[o + 6]) THEN RETURN level; END IF;
  RETURN greatest(
    0, ${fn("token_bucket_converted")}(state, limits, o)::numeric - greatest(0, elapsed)::numeric * limits[o + 6]
  )::bigint;
END $function$;

CREATE OR REPLACE FUNCTION ${fn("token_bucket_wait")}(state bigint[], limits bigint[], o int, at bigint, need bigint)
RETURNS bigint LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $function$
DECLARE
  per_unit bigint := limits[o + 5];
  per_ms bigint := limits[o + 6];
  excess bigint;
BEGIN
  IF need > limits[o + 3] THEN RETURN ${never}; END IF;
  excess := ${fn("token_bucket_level")}(state, limits, o, at) + (need - limits[o + 3]) * per_unit;
  IF excess <= 0 THEN RETURN 0; END IF;
  RETURN (excess - 1) / per_ms + 1 + greatest(0, state[2] - at);
END $function$;

CREATE OR REPLACE FUNCTION ${fn("token_bucket_read")}(state bigint[], limits bigint[], o int, at bigint, need bigint)
RETURNS bigint[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $function$
DECLARE
  quota bigint := limits[o + 3];
  per_unit bigint := limits[o + 5];
  level bigint := ${fn("token_bucket_level")}(state, limits, o, at);
  remaining bigint := greatest(0, quota * per_unit - level) / per_unit;
BEGIN
  RETURN ARRAY[
    remaining,
    CASE WHEN need = 0 THEN 0 ELSE ${fn("token_bucket_wait")}(state, limits, o, at, need) END,
    CASE WHEN level = 0 THEN 0 ELSE ${fn("token_bucket_wait")}(state, limits, o, at, remaining + 1) END
  ];
END $function$;

CREATE OR REPLACE FUNCTION ${fn("token_bucket_charge")}(state bigint[], limits bigint[], o int, at bigint, amount bigint)
RETURNS bigint[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $function$
DECLARE
  per_unit bigint := limits[o + 5];
  level bigint := CASE WHEN state IS NULL THEN 0 ELSE ${fn("token_bucket_level")}(state, limits, o, at) END;
BEGIN
  RETURN ARRAY[
    ${code},
    greatest(coalesce(state[2], 0), at),
    -- A debt of 2^62 ticks is at least 512 windows long. Larger debts count as this one.
    CASE WHEN amount > (${never} - level) / per_unit THEN ${never} ELSE level + amount * per_unit END,
    CASE WHEN level = 0 THEN at
      WHEN state[5] = per_unit AND state[6] = limits[o + 6] THEN state[4]
      WHEN ${fn("token_bucket_is_faster")}(state, limits, o) THEN state[2] ELSE state[4] END,
    per_unit,
    limits[o + 6],
    CASE WHEN level = 0 THEN 0 ELSE state[7] END
  ];
END $function$;

-- A charge by other limits of the unit.
CREATE OR REPLACE FUNCTION ${fn("token_bucket_charge_along")}(state bigint[], at bigint, amount bigint)
RETURNS bigint[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $function$
DECLARE
  level bigint := ${fn("token_bucket_drained")}(state, at);
BEGIN
  RETURN ARRAY[
    ${code}, greatest(state[2], at),
    CASE WHEN amount > (${never} - level) / state[5] THEN ${never} ELSE level + amount * state[5] END,
    CASE WHEN level = 0 THEN at ELSE state[4] END, state[5], state[6], CASE WHEN level = 0 THEN 0 ELSE state[7] END
  ];
END $function$;

-- The same state in the limit's scale.
CREATE OR REPLACE FUNCTION ${fn("token_bucket_adapt")}(state bigint[], limits bigint[], o int, at bigint)
RETURNS bigint[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $function$
BEGIN
  IF ${fn("token_bucket_drained")}(state, at) = 0 THEN RETURN state; END IF;
  RETURN ARRAY[
    ${code}, state[2], ${fn("token_bucket_converted")}(state, limits, o),
    CASE WHEN ${fn("token_bucket_is_faster")}(state, limits, o) THEN state[2] ELSE state[4] END,
    limits[o + 5], limits[o + 6], state[7]
  ];
END $function$;

-- Takes over the level of a bucket with another window, if it is higher.
CREATE OR REPLACE FUNCTION ${fn("token_bucket_adopt")}(
  state bigint[], other bigint[], limits bigint[], o int, at bigint
)
RETURNS bigint[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $function$
DECLARE
  level bigint := ${fn("token_bucket_level")}(other, limits, o, at);
BEGIN
  IF level <= coalesce(state[3], 0) THEN RETURN state; END IF;
  RETURN ARRAY[
    ${code}, greatest(other[2], at), level,
    CASE WHEN other[5] = limits[o + 5] AND other[6] = limits[o + 6] THEN other[4]
      WHEN ${fn("token_bucket_is_faster")}(other, limits, o) THEN other[2] ELSE other[4] END,
    limits[o + 5], limits[o + 6], other[7]
  ];
END $function$;

CREATE OR REPLACE FUNCTION ${fn("token_bucket_refund")}(
  state bigint[], limits bigint[], o int, at bigint, amount bigint, charged_at bigint, mark bigint
)
RETURNS bigint[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $function$
DECLARE
  elapsed bigint := greatest(0, at - charged_at);
  level bigint := ${fn("token_bucket_drained")}(state, at);
  marked numeric := CASE WHEN state[5] = limits[o + 5] THEN mark
    ELSE floor(mark::float8 / limits[o + 5] * state[5])::numeric END;
  before numeric := greatest(0, marked - state[7]::numeric * state[5]);
  back numeric := amount::numeric * state[5] - greatest(0, elapsed::numeric * state[6] - before);
BEGIN
  IF charged_at < state[4] AND state[4] <= at THEN RETURN state; END IF;
  RETURN ARRAY[
    ${code}, greatest(state[2], at), greatest(0, level - greatest(0, back))::bigint, state[4], state[5], state[6],
    least(state[7]::numeric + amount, ${never})::bigint
  ];
END $function$;
`;
}
