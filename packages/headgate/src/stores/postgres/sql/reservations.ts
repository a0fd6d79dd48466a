import { rememberedMs } from "../../../core/holdings.ts";
import { answerKinds, edgeKinds, stateCodes } from "./codes.ts";
import type { SqlNames } from "./names.ts";
import { markSinceSql } from "./resets.ts";

// Parts of the statements that decide and adjust reservations, within the `apply` function.

/** The variables that sql/reserve.ts and sql/adjust.ts need, in addition to those of the `apply` function. */
export const reservationVariables = `
  holdings bigint[];
  id_high bigint;
  id_low bigint;
  call_number bigint;
  lease bigint;
  unit bigint;
  standing int;
  worst_standing int;
  group_count int;
  found_seq bigint;
  found_ended boolean;
  found_holding boolean;
  found_expiry bigint;
  found_units bigint[];
  found_used bigint[];
  found_held bigint[];
  found_last_at bigint[];
  found_last_amount bigint[];
  found_mark_units bigint[];
  found_marks bigint[];
  last_before bigint[];
  nths int[];
  skipped bigint;
  is_new boolean;
  is_ending boolean;
  raises boolean;
  held_standings int[];
  needs bigint[];
  marks bigint[];
  changes bigint[];
  fault int;
  before_this int;
  last_partition int;
  last_limits int;
  p int;
  h int;`;

/** The reservation's entry in the partition of slot `h`; all null if there is none or it has expired. */
export const findSql = ({ holdsTable }: SqlNames) => `
        SELECT f.seq, f.ended, f.units, f.used, f.holding AND f.expires_at > at,
          CASE WHEN f.holding AND f.expires_at <= at THEN array_fill(0::bigint, ARRAY[cardinality(f.held)]) ELSE f.held END,
          f.expires_at + CASE WHEN f.holding AND f.expires_at <= at THEN ${rememberedMs} ELSE 0 END,
          f.last_at, f.last_amount, f.mark_units, f.marks
        INTO found_seq, found_ended, found_units, found_used, found_holding, found_held, found_expiry,
          found_last_at, found_last_amount, found_mark_units, found_marks
        FROM ${holdsTable} AS f
        WHERE f.partition_id = partition_ids[h] AND f.rid_high = id_high AND f.rid_low = id_low
          AND f.expires_at + CASE WHEN f.holding THEN ${rememberedMs} ELSE 0 END > at;`;

/** Counts the holds again if some may have lapsed, or if there are no sums yet. */
export const openHoldingsSql = ({ fn }: SqlNames) => `
        IF slots[h].state IS NULL OR slots[h].state[2] <= at THEN
          slots[h] := ${fn("recount_holdings")}(partition_ids[h], slots[h], at);
        END IF;
        holdings := slots[h].state;`;

/** Creates an entry if none was found. */
export const newEntrySql = ({ fn }: SqlNames) => `
        is_new := found_seq IS NULL;
        IF is_new THEN
          IF holdings[4] >= holdings[5] THEN
            holdings := ${fn("tidy_holdings")}(partition_ids[h], holdings, at);
          END IF;
          holdings[4] := holdings[4] + 1;
          found_seq := 0;
          found_ended := false;
          found_holding := false;
          found_expiry := at;
          found_units := '{}';
          found_used := '{}';
          found_held := '{}';
          found_last_at := '{}';
          found_last_amount := '{}';
          found_mark_units := '{}';
          found_marks := '{}';
        END IF;`;

/** How long the entry lives after this call. Its holds are known by now. */
export const expirySql = `
        found_expiry := CASE
          WHEN NOT 0 < ANY (found_held) THEN at + lease + ${rememberedMs}
          -- If it held nothing before, its expiry was only the time until which it is remembered.
          WHEN found_holding THEN greatest(found_expiry, at + lease)
          ELSE at + lease
        END;`;

/** Records `amount` as the last spending of the unit at index `p`. Its marks follow, group by group. */
export const lastSql = (amount: string) => `
              found_last_at[p] := at;
              found_last_amount[p] := ${amount};
              SELECT coalesce(array_agg(t.u ORDER BY t.n) FILTER (WHERE t.u <> unit), '{}'),
                coalesce(array_agg(t.v ORDER BY t.n) FILTER (WHERE t.u <> unit), '{}')
              INTO found_mark_units, found_marks
              FROM unnest(found_mark_units, found_marks) WITH ORDINALITY AS t(u, v, n);`;

/** The mark of the current group belongs to the last spending. */
export const lastMarkSql = `
              found_mark_units := found_mark_units || unit;
              found_marks := found_marks || marks[m];`;

/** Writes the entry, and updates the holdings of its partition. Its expiry is known by now. */
export const keepSql = ({ holdsTable, slotType }: SqlNames) => `
        IF (0 < ANY (found_held)) <> found_holding THEN
          holdings[3] := holdings[3] + CASE WHEN found_holding THEN -1 ELSE 1 END;
          found_holding := NOT found_holding;
        END IF;
        IF found_holding THEN holdings[2] := least(holdings[2], found_expiry); END IF;
        INSERT INTO ${holdsTable} AS f (
          partition_id, rid_high, rid_low, seq, ended, holding, expires_at, units, used, held,
          last_at, last_amount, mark_units, marks
        )
        VALUES (
          partition_ids[h], id_high, id_low, found_seq, found_ended, found_holding, found_expiry,
          found_units, found_used, found_held, found_last_at, found_last_amount, found_mark_units, found_marks
        )
        ON CONFLICT (partition_id, rid_high, rid_low) DO UPDATE SET
          seq = EXCLUDED.seq, ended = EXCLUDED.ended, holding = EXCLUDED.holding, expires_at = EXCLUDED.expires_at,
          units = EXCLUDED.units, used = EXCLUDED.used, held = EXCLUDED.held, last_at = EXCLUDED.last_at,
          last_amount = EXCLUDED.last_amount, mark_units = EXCLUDED.mark_units, marks = EXCLUDED.marks;
        slots[h] := ROW(
          holdings, greatest(slots[h].expires_at, found_expiry + ${2 * rememberedMs}), true
        )::${slotType};`;

/** Finds the index of `unit` in the entry, or adds the unit. */
export const placeSql = (used: string) => `
            p := array_position(found_units, unit);
            IF p IS NULL THEN
              p := cardinality(found_units) + 1;
              found_units[p] := unit;
              found_used[p] := ${used};
              found_held[p] := 0;
              found_last_at[p] := 0;
              found_last_amount[p] := 0;
            END IF;`;

/** Why a group with the state `state` cannot be read; null if it can. */
export const faultSql = ({ fn }: SqlNames) => `CASE
            WHEN state IS NOT NULL AND NOT ${fn("is_sound")}(state, code) THEN ${answerKinds.corrupt}
            WHEN code = ${stateCodes["fixed-window"]} AND limits[o + 5] = ${edgeKinds.calendar}
              AND (at < limits[o + 6] OR at >= limits[o + 10]) THEN ${answerKinds.clocksApart}
          END`;

/** Spends `amount` of the current group, and records its mark as number `m`. Places are held, and never spent. */
export const spendSql = ({ fn, slotType }: SqlNames) => `
            state := ${fn("state_charge")}(coalesce(slots[s].state, begun[s].state), limits, o, at, amount);
            marks[m] := ${fn("state_mark")}(state, limits, o, at, amount);${markSinceSql("marks[m]")}
            slots[s] := ROW(state, ${fn("state_blank_at")}(state), true)::${slotType};`;
