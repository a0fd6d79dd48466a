import { holdingsCode, never, stateCodes } from "./codes.ts";
import type { SqlNames } from "./names.ts";

/** The algorithms with states: places are held, and leave no state. */
const algorithmsByCode = Object.entries(stateCodes)
  .filter(([name]) => name !== "concurrent")
  .map(([name, code]) => ({
    code,
    name: name.replace("-", "_"),
    // A coarse log has its own charge function, and is read like any other log.
    readAs: name === "coarse-log" ? "sliding_window" : name.replace("-", "_"),
  }));

/** `IF code = 1 THEN … ELSIF code = 2 THEN … END IF;` over all algorithms. */
export function byAlgorithm(write: (algorithm: (typeof algorithmsByCode)[number]) => string): string {
  const branches = algorithmsByCode.map((algorithm) => `code = ${algorithm.code} THEN ${write(algorithm)}`);
  return `IF ${branches.join("\n      ELSIF ")}\n      END IF;`;
}

// Expressions over `code`, `state`, `limits`, `o`, `at` and `amount`. Each decision needs them, and calling a function
// takes longer.

/** The newest stamp of a log. */
const newestStamp = "state[(cardinality(state) + 1) / 2]";

/** What a later refund needs to know about the charge that was just made. */
export const markOf = `CASE code
        -- How far the clock was set back: the stamp to look for is later by this much.
        WHEN ${stateCodes["sliding-window"]} THEN ${newestStamp} - at
        WHEN ${stateCodes["coarse-log"]} THEN ${newestStamp} - at
        WHEN ${stateCodes["token-bucket"]} THEN least(
          greatest(0, state[3] - amount::numeric * limits[o + 5]) + state[7]::numeric * limits[o + 5], ${never}
        )::bigint
        ELSE state[2]
      END`;

/** The functions that read and change a state, whatever its algorithm. */
export function statesSql({ fn }: SqlNames): string {
  return `
CREATE OR REPLACE FUNCTION ${fn("is_sound")}(state bigint[], code bigint)
RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $function$
  SELECT state[1] = code AND CASE code
    WHEN ${stateCodes["sliding-window"]} THEN cardinality(state) >= 3 AND cardinality(state) % 2 = 1
    WHEN ${stateCodes["coarse-log"]} THEN cardinality(state) >= 3 AND cardinality(state) % 2 = 1
    WHEN ${stateCodes["token-bucket"]} THEN cardinality(state) = 7
    WHEN ${stateCodes["sliding-counter"]} THEN cardinality(state) = 5
    WHEN ${holdingsCode} THEN cardinality(state) >= 5 AND cardinality(state) % 2 = 1
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

-- The following functions are for all algorithms. Their callers are rare enough that an additional call does not
-- matter.

CREATE OR REPLACE FUNCTION ${fn("state_wait")}(state bigint[], limits bigint[], o int, at bigint, need bigint)
RETURNS bigint LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $function$
DECLARE
  code int := limits[o];
  wait bigint := 0;
BEGIN
  IF state IS NULL THEN
    FOR n IN o + 3 .. o + 1 + 2 * limits[o + 1] BY 2 LOOP
      IF need > limits[n] THEN RETURN ${never}; END IF;
    END LOOP;
    RETURN 0;
  END IF;
  ${byAlgorithm(({ readAs }) => `wait := ${fn(`${readAs}_wait`)}(state, limits, o, at, need);`)}
  RETURN wait;
END $function$;

CREATE OR REPLACE FUNCTION ${fn("state_read")}(state bigint[], limits bigint[], o int, at bigint, need bigint)
RETURNS bigint[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $function$
DECLARE
  code int := limits[o];
  answer bigint[];
BEGIN
  IF state IS NULL THEN RETURN ${fn("read_blank")}(limits, o, need); END IF;
  ${byAlgorithm(({ readAs }) => `answer := ${fn(`${readAs}_read`)}(state, limits, o, at, need);`)}
  RETURN answer;
END $function$;

CREATE OR REPLACE FUNCTION ${fn("state_charge")}(state bigint[], limits bigint[], o int, at bigint, amount bigint)
RETURNS bigint[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $function$
DECLARE
  code int := limits[o];
BEGIN
  ${byAlgorithm(({ name }) => `state := ${fn(`${name}_charge`)}(state, limits, o, at, amount);`)}
  RETURN state;
END $function$;

CREATE OR REPLACE FUNCTION ${fn("state_mark")}(state bigint[], limits bigint[], o int, at bigint, amount bigint)
RETURNS bigint LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $function$
DECLARE
  code int := limits[o];
BEGIN
  RETURN ${markOf};
END $function$;

CREATE OR REPLACE FUNCTION ${fn("state_refund")}(
  state bigint[], limits bigint[], o int, at bigint, amount bigint, charged_at bigint, mark bigint
)
RETURNS bigint[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $function$
DECLARE
  code int := limits[o];
BEGIN
  IF code = ${stateCodes["sliding-window"]} THEN
    RETURN ${fn("sliding_window_refund")}(state, amount, charged_at + mark);
  ELSIF code = ${stateCodes["coarse-log"]} THEN
    RETURN ${fn("coarse_log_refund")}(state, amount, charged_at + mark);
  ELSIF code = ${stateCodes["token-bucket"]} THEN
    RETURN ${fn("token_bucket_refund")}(state, limits, o, at, amount, charged_at, mark);
  ELSIF code = ${stateCodes["fixed-window"]} THEN
    RETURN ${fn("fixed_window_refund")}(state, amount, mark);
  ELSIF code = ${stateCodes["sliding-counter"]} THEN
    RETURN ${fn("sliding_counter_refund")}(state, limits, o, amount, mark);
  END IF;
  RETURN state;
END $function$;
`;
}
