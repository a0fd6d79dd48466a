import { mostHolds, rememberedMs } from "../../../core/holdings.ts";
import { holdingsCode, never } from "./codes.ts";
import { quoteText, type SqlNames } from "./names.ts";

/** With fewer entries than this, expired ones are not searched for. */
const fewEntries = 64;

/**
 * The table of reservations: what each has used and holds in one partition. A heartbeat updates one row, so that a
 * partition may have thousands of them.
 */
export function holdsTableSql({ holdsTable }: SqlNames, unlogged: boolean): string {
  return `
IF to_regclass(${quoteText(holdsTable)}) IS NULL THEN
  CREATE ${unlogged ? "UNLOGGED " : ""}TABLE ${holdsTable} (
    partition_id uuid NOT NULL,
    -- The reservation's id, 48 bits each.
    rid_high bigint NOT NULL,
    rid_low bigint NOT NULL,
    -- The number of the last applied call.
    seq bigint NOT NULL,
    ended boolean NOT NULL,
    -- Whether the reservation holds anything; it lapses at the expiry.
    holding boolean NOT NULL,
    -- The time until which it holds or, without holds, is remembered; milliseconds since 1970-01-01T00:00Z.
    expires_at bigint NOT NULL,
    -- Hashes of the units' names, and the totals for each unit.
    units bigint[] NOT NULL CHECK (array_position(units, NULL) IS NULL),
    used bigint[] NOT NULL CHECK (cardinality(used) = cardinality(units) AND array_position(used, NULL) IS NULL),
    held bigint[] NOT NULL CHECK (cardinality(held) = cardinality(units) AND array_position(held, NULL) IS NULL),
    -- For each unit, the time and amount of the last spending. Then the marks that a refund of it needs: for each its
    -- unit, in the order of the limits.
    last_at bigint[] NOT NULL,
    last_amount bigint[] NOT NULL,
    mark_units bigint[] NOT NULL,
    marks bigint[] NOT NULL,
    PRIMARY KEY (partition_id, rid_high, rid_low)
  ) WITH (fillfactor = 70);
  -- The order in which they lapse.
  CREATE INDEX ON ${holdsTable} (partition_id, expires_at) WHERE holding;
END IF;
`;
}

/**
 * core/holdings.ts in PL/pgSQL. The sums of all holds of a partition are stored like a state: `{100, earliest, holding,
 * entries, tidy at, unit, held, unit, held, …}`. No entry with holds expires before `earliest`. `holding` is the number
 * of entries with holds. When there are `tidy at` entries, expired ones are deleted.
 *
 * An entry lapses at its expiry: nothing has to be written. A call that finds `earliest` in the past counts the holds
 * again, so the sums never depend on deleted entries.
 */
export function holdingsSql({ fn, holdsTable, slotType }: SqlNames): string {
  return `
CREATE OR REPLACE FUNCTION ${fn("recount_holdings")}(id uuid, slot ${slotType}, at bigint)
RETURNS ${slotType} LANGUAGE plpgsql VOLATILE AS $function$
DECLARE
  holdings bigint[] := coalesce(slot.state, ARRAY[${holdingsCode}, ${never}, 0, 0, ${fewEntries}]);
  earliest bigint;
  latest bigint;
  holders bigint;
  one record;
BEGIN
  SELECT min(h.expires_at), max(h.expires_at), count(*) INTO earliest, latest, holders
  FROM ${holdsTable} AS h WHERE h.partition_id = id AND h.holding AND h.expires_at > at;
  holdings := ARRAY[
    ${holdingsCode}, coalesce(earliest, ${never}), holders, greatest(holders, holdings[4]), holdings[5]
  ];
  IF holders > 0 THEN
    FOR one IN
      SELECT part.unit, sum(part.amount)::bigint AS amount
      FROM ${holdsTable} AS h, unnest(h.units, h.held) AS part(unit, amount)
      WHERE h.partition_id = id AND h.holding AND h.expires_at > at
      GROUP BY part.unit
    LOOP
      holdings := holdings || one.unit || one.amount;
    END LOOP;
  END IF;
  RETURN ROW(holdings, greatest(slot.expires_at, coalesce(latest, at) + ${rememberedMs}), slot.changed)::${slotType};
END $function$;

CREATE OR REPLACE FUNCTION ${fn("tidy_holdings")}(id uuid, holdings bigint[], at bigint)
RETURNS bigint[] LANGUAGE plpgsql VOLATILE AS $function$
DECLARE
  entries bigint;
  spare bigint;
BEGIN
  DELETE FROM ${holdsTable} AS h
  WHERE h.partition_id = id AND h.expires_at + CASE WHEN h.holding THEN ${rememberedMs} ELSE 0 END <= at;
  SELECT count(*), count(*) FILTER (WHERE NOT h.holding OR h.expires_at <= at) INTO entries, spare
  FROM ${holdsTable} AS h WHERE h.partition_id = id;
  IF spare > ${mostHolds} THEN
    DELETE FROM ${holdsTable} AS h WHERE h.partition_id = id AND (h.rid_high, h.rid_low) IN (
      SELECT o.rid_high, o.rid_low FROM ${holdsTable} AS o
      WHERE o.partition_id = id AND (NOT o.holding OR o.expires_at <= at)
      ORDER BY o.expires_at + CASE WHEN o.holding THEN ${rememberedMs} ELSE 0 END
      LIMIT spare - ${mostHolds}
    );
    entries := entries - spare + ${mostHolds};
  END IF;
  holdings[4] := entries;
  holdings[5] := least(
    greatest(${fewEntries}, 2 * entries), greatest(${2 * mostHolds}, entries + ${fewEntries})
  );
  RETURN holdings;
END $function$;

CREATE OR REPLACE FUNCTION ${fn("held_of")}(holdings bigint[], unit bigint)
RETURNS bigint LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $function$
BEGIN
  FOR n IN 6 .. coalesce(cardinality(holdings), 0) BY 2 LOOP
    IF holdings[n] = unit THEN RETURN holdings[n + 1]; END IF;
  END LOOP;
  RETURN 0;
END $function$;

CREATE OR REPLACE FUNCTION ${fn("add_held")}(holdings bigint[], unit bigint, change bigint)
RETURNS bigint[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $function$
BEGIN
  FOR n IN 6 .. cardinality(holdings) BY 2 LOOP
    IF holdings[n] = unit THEN
      holdings[n + 1] := holdings[n + 1] + change;
      RETURN holdings;
    END IF;
  END LOOP;
  RETURN holdings || unit || change;
END $function$;

-- The wait for the one limit at index "o". Negative if it is a wait for holders.
CREATE OR REPLACE FUNCTION ${fn("held_wait")}(
  state bigint[], limits bigint[], o int, at bigint, need bigint, id uuid, unit bigint, holdings bigint[]
)
RETURNS bigint LANGUAGE plpgsql STABLE AS $function$
DECLARE
  remaining bigint := ${fn("held_of")}(holdings, unit);
  wait bigint;
  best bigint;
  after bigint;
  lapses bigint[];
  left_after bigint[];
  probe int := 1;
  low int := 0;
  high int := 0;
  middle int;
  one record;
BEGIN
  IF need = 0 THEN RETURN 0; END IF;
  wait := ${fn("state_wait")}(state, limits, o, at, need + remaining);
  IF remaining = 0 OR need > limits[o + 3] OR wait <= holdings[2] - at THEN RETURN wait; END IF;
  -- After each lapse of a holder, less is held, and the window's wait for the rest is shorter. Finds the first holder
  -- after whose lapse the window no longer decides: first in growing steps, then by binary search.
  best := wait;
  FOR one IN
    SELECT h.expires_at - at AS ms, h.held[array_position(h.units, unit)] AS amount
    FROM ${holdsTable} AS h
    WHERE h.partition_id = id AND h.holding AND h.expires_at > at
    ORDER BY h.expires_at
  LOOP
    EXIT WHEN one.ms >= best;
    CONTINUE WHEN one.amount IS NULL OR one.amount = 0;
    high := high + 1;
    remaining := remaining - one.amount;
    lapses[high] := one.ms;
    left_after[high] := remaining;
    CONTINUE WHEN high < probe;
    after := ${fn("state_wait")}(state, limits, o, at, need + remaining);
    best := least(best, greatest(after, one.ms));
    IF after <= one.ms THEN
      high := high - 1;
      EXIT;
    END IF;
    low := high;
    probe := probe * 2;
  END LOOP;
  WHILE low < high LOOP
    middle := (low + high + 1) / 2;
    after := ${fn("state_wait")}(state, limits, o, at, need + left_after[middle]);
    best := least(best, greatest(after, lapses[middle]));
    IF after <= lapses[middle] THEN high := middle - 1; ELSE low := middle; END IF;
  END LOOP;
  RETURN CASE WHEN best < wait THEN -best ELSE wait END;
END $function$;

-- The readings of the algorithms, with holds counted. "need" is 0 if nothing was refused.
CREATE OR REPLACE FUNCTION ${fn("held_read")}(
  state bigint[], limits bigint[], o int, at bigint, need bigint, id uuid, unit bigint, holdings bigint[]
)
RETURNS bigint[] LANGUAGE plpgsql STABLE AS $function$
DECLARE
  readings bigint[] := ${fn("state_read")}(state, limits, o, at, 0);
  held bigint := ${fn("held_of")}(holdings, unit);
  alone bigint[] := limits;
  from_alone int := o;
  n int := 1;
BEGIN
  IF held = 0 AND need = 0 THEN RETURN readings; END IF;
  FOR i IN o + 3 .. o + 1 + 2 * limits[o + 1] BY 2 LOOP
    IF limits[o + 1] > 1 THEN
      alone := ARRAY[limits[o], 1, limits[o + 2], limits[i], limits[i + 1]];
      from_alone := 1;
    END IF;
    IF held > 0 THEN
      readings[n] := greatest(0, readings[n] - held);
      readings[n + 2] := abs(
        ${fn("held_wait")}(state, alone, from_alone, at, readings[n] + 1, id, unit, holdings)
      );
    END IF;
    IF need > 0 THEN
      readings[n + 1] := ${fn("held_wait")}(state, alone, from_alone, at, need, id, unit, holdings);
    END IF;
    n := n + 3;
  END LOOP;
  RETURN readings;
END $function$;
`;
}
