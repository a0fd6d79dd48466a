import { never, stateCodes } from "./codes.ts";
import type { SqlNames } from "./names.ts";

/**
 * core/algorithms/token-bucket.ts in PL/pgSQL. The state is `{2, stamp, level}`; the limit is described from `o` on by
 * `{2, 1, window, quota, window, ticks a unit, ticks a millisecond}`.
 *
 * After the clock was set back the level stands still until the stamp is reached again: waits begin there.
 */
export function tokenBucketSql({ fn }: SqlNames): string {
  const code = stateCodes["token-bucket"];
  return `
CREATE OR REPLACE FUNCTION ${fn("token_bucket_level")}(state bigint[], per_ms bigint, at bigint)
RETURNS bigint LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $function$
DECLARE
  elapsed bigint := at - state[2];
  level bigint := state[3];
BEGIN
  IF elapsed <= 0 THEN RETURN level; END IF;
  -- Divided, not multiplied: years of elapsed time exceed what a bigint holds in ticks.
  IF elapsed > level / per_ms THEN RETURN 0; END IF;
  RETURN level - elapsed * per_ms;
END $function$;

CREATE OR REPLACE FUNCTION ${fn("token_bucket_wait")}(state bigint[], limits bigint[], o int, at bigint, need bigint)
RETURNS bigint LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $function$
DECLARE
  per_unit bigint := limits[o + 5];
  per_ms bigint := limits[o + 6];
  excess bigint;
BEGIN
  IF need > limits[o + 3] THEN RETURN ${never}; END IF;
  excess := ${fn("token_bucket_level")}(state, per_ms, at) + (need - limits[o + 3]) * per_unit;
  IF excess <= 0 THEN RETURN 0; END IF;
  RETURN (excess - 1) / per_ms + 1 + greatest(0, state[2] - at);
END $function$;

CREATE OR REPLACE FUNCTION ${fn("token_bucket_read")}(state bigint[], limits bigint[], o int, at bigint, need bigint)
RETURNS bigint[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $function$
DECLARE
  quota bigint := limits[o + 3];
  per_unit bigint := limits[o + 5];
  level bigint := ${fn("token_bucket_level")}(state, limits[o + 6], at);
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
  level bigint := CASE WHEN state IS NULL THEN 0 ELSE ${fn("token_bucket_level")}(state, limits[o + 6], at) END;
BEGIN
  RETURN ARRAY[
    ${code},
    greatest(coalesce(state[2], 0), at),
    -- A debt of 2^62 ticks is at least 512 windows long: deeper ones are not told apart.
    CASE WHEN amount > (${never} - level) / per_unit THEN ${never} ELSE level + amount * per_unit END
  ];
END $function$;

CREATE OR REPLACE FUNCTION ${fn("token_bucket_refund")}(
  state bigint[], limits bigint[], o int, at bigint, amount bigint, charged_at bigint, mark bigint
)
RETURNS bigint[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $function$
DECLARE
  per_ms bigint := limits[o + 6];
  elapsed bigint := greatest(0, at - charged_at);
  level bigint := ${fn("token_bucket_level")}(state, per_ms, at);
  given numeric := amount::numeric * limits[o + 5] - greatest(0, elapsed::numeric * per_ms - mark);
BEGIN
  RETURN ARRAY[${code}, greatest(state[2], at), greatest(0, level - greatest(0, given))::bigint];
END $function$;
`;
}
