import { edgeKinds, never, stateCodes } from "./codes.ts";
import type { SqlNames } from "./names.ts";

/**
 * core/algorithms/fixed-window.ts in PL/pgSQL. The state is `{3, start, end, count}`. From index `o` on, the limit is
 * `{3, 1, window, quota, window, edges}`, and for calendar windows the five edges around now, because the server does
 * not know the calendar.
 */
export function fixedWindowSql({ fn }: SqlNames): string {
  const code = stateCodes["fixed-window"];
  return `
CREATE OR REPLACE FUNCTION ${fn("fixed_window_wait")}(state bigint[], limits bigint[], o int, at bigint, need bigint)
RETURNS bigint LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $function$
BEGIN
  IF need > limits[o + 3] THEN RETURN ${never}; END IF;
  IF at >= state[3] OR state[4] + need <= limits[o + 3] THEN RETURN 0; END IF;
  RETURN state[3] - at;
END $function$;

CREATE OR REPLACE FUNCTION ${fn("fixed_window_read")}(state bigint[], limits bigint[], o int, at bigint, need bigint)
RETURNS bigint[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $function$
DECLARE
  count bigint := CASE WHEN at < state[3] THEN state[4] ELSE 0 END;
BEGIN
  RETURN ARRAY[
    greatest(0, limits[o + 3] - count),
    CASE WHEN need = 0 THEN 0 ELSE ${fn("fixed_window_wait")}(state, limits, o, at, need) END,
    CASE WHEN count = 0 THEN 0 ELSE state[3] - at END
  ];
END $function$;

CREATE OR REPLACE FUNCTION ${fn("fixed_window_charge")}(state bigint[], limits bigint[], o int, at bigint, amount bigint)
RETURNS bigint[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $function$
DECLARE
  span bigint := limits[o + 4];
  start bigint;
  i int;
BEGIN
  IF at < state[3] AND state[4] > 0 THEN RETURN ARRAY[${code}, state[2], state[3], state[4] + amount]; END IF;
  IF limits[o + 5] = ${edgeKinds.steps} THEN
    start := at - ((at % span) + span) % span;
    RETURN ARRAY[${code}, start, start + span, amount];
  END IF;
  IF limits[o + 5] = ${edgeKinds.firstUse} THEN RETURN ARRAY[${code}, at, at + span, amount]; END IF;
  i := o + 5 + width_bucket(at, limits[o + 6:o + 10]);
  RETURN ARRAY[${code}, limits[i], limits[i + 1], amount];
END $function$;

CREATE OR REPLACE FUNCTION ${fn("fixed_window_refund")}(state bigint[], amount bigint, mark bigint)
RETURNS bigint[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $function$
BEGIN
  IF state[2] <> mark THEN RETURN state; END IF;
  RETURN ARRAY[${code}, state[2], state[3], greatest(0, state[4] - amount)];
END $function$;
`;
}
