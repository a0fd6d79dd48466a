import { bucketsAWindow } from "../../../core/algorithms/coarse-log.ts";
import { stateCodes } from "./codes.ts";
import type { SqlNames } from "./names.ts";

/** Returns an SQL expression for the length of a bucket, from one for the length of the window. */
export function bucketSql(windowMs: string): string {
  return `((${windowMs} + ${bucketsAWindow - 1}) / ${bucketsAWindow})`;
}

/**
 * core/algorithms/coarse-log.ts in PL/pgSQL. The state has the form of a state of `sliding-window.ts`, with another
 * code, and is read by the same functions. `span` is its only window.
 */
export function coarseLogSql({ fn }: SqlNames): string {
  const code = stateCodes["coarse-log"];
  return `
CREATE OR REPLACE FUNCTION ${fn("coarse_log_charge")}(state bigint[], limits bigint[], o int, at bigint, amount bigint)
RETURNS bigint[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $function$
DECLARE
  n int := (cardinality(state) - 3) / 2;
  bucket bigint := ${bucketSql("limits[o + 2]")};
BEGIN
  IF n > 0 AND state[n + 2] < at AND state[n + 2] / bucket = at / bucket THEN state[n + 2] := at; END IF;
  state := ${fn("sliding_window_charge")}(state, limits, o, at, amount);
  state[1] := ${code};
  RETURN state;
END $function$;

CREATE OR REPLACE FUNCTION ${fn("coarse_log_refund")}(state bigint[], amount bigint, stamp bigint)
RETURNS bigint[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $function$
DECLARE
  n int := (cardinality(state) - 3) / 2;
  bucket bigint := ${bucketSql("state[2]")};
  i int := width_bucket(stamp - 1, state[3:n + 2]) + 1;
BEGIN
  IF i > n OR state[i + 2] / bucket <> stamp / bucket THEN RETURN state; END IF;
  RETURN ${fn("sliding_window_refund")}(state, amount, state[i + 2]);
END $function$;
`;
}
