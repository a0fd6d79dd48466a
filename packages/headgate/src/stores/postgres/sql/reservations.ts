import { mostHolds, rememberedMs } from "../../../core/holdings.ts";
import { answerKinds, edgeKinds, holdingsCode, requestKinds, stateCodes } from "./codes.ts";
import type { SqlNames } from "./names.ts";

/** What is found of a reservation before a call, in the order in which reasons outrank each other. */
const standings = { open: 0, applied: 1, crowded: 2, ended: 3 } as const;

/** What the two statements below need, besides the variables of the `apply` function. */
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
  is_new boolean;
  is_ending boolean;
  raises boolean;
  held_standings int[];
  needs bigint[];
  marks bigint[];
  changes bigint[];
  fault int;
  before_this int;
  p int;
  h int;`;

/** The reservation's entry in the partition of slot `h`; all null where there is none, or where it is over. */
const findSql = ({ holdsTable }: SqlNames) => `
        SELECT f.seq, f.ended, f.units, f.used, f.holding AND f.expires_at > at,
          CASE WHEN f.holding AND f.expires_at <= at THEN array_fill(0::bigint, ARRAY[cardinality(f.held)]) ELSE f.held END,
          f.expires_at + CASE WHEN f.holding AND f.expires_at <= at THEN ${rememberedMs} ELSE 0 END
        INTO found_seq, found_ended, found_units, found_used, found_holding, found_held, found_expiry
        FROM ${holdsTable} AS f
        WHERE f.partition_id = partition_ids[h] AND f.rid_high = id_high AND f.rid_low = id_low
          AND f.expires_at + CASE WHEN f.holding THEN ${rememberedMs} ELSE 0 END > at;`;

/** Counts anew what is held where something may have lapsed, or where nothing is known. */
const openHoldingsSql = ({ fn }: SqlNames) => `
        IF slots[h].state IS NULL OR slots[h].state[2] <= at THEN
          slots[h] := ${fn("recount_holdings")}(partition_ids[h], slots[h], at);
        END IF;
        holdings := slots[h].state;`;

/** Makes an entry where none was found. */
const newEntrySql = ({ fn }: SqlNames) => `
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
        END IF;`;

/** Writes the entry and what it makes of its partition's holdings. Its expiry is known by now. */
const keepSql = ({ holdsTable, slotType }: SqlNames) => `
        IF (0 < ANY (found_held)) <> found_holding THEN
          holdings[3] := holdings[3] + CASE WHEN found_holding THEN -1 ELSE 1 END;
          found_holding := NOT found_holding;
        END IF;
        IF found_holding THEN holdings[2] := least(holdings[2], found_expiry); END IF;
        INSERT INTO ${holdsTable} AS f (
          partition_id, rid_high, rid_low, seq, ended, holding, expires_at, units, used, held
        )
        VALUES (
          partition_ids[h], id_high, id_low, found_seq, found_ended, found_holding, found_expiry,
          found_units, found_used, found_held
        )
        ON CONFLICT (partition_id, rid_high, rid_low) DO UPDATE SET
          seq = EXCLUDED.seq, ended = EXCLUDED.ended, holding = EXCLUDED.holding, expires_at = EXCLUDED.expires_at,
          units = EXCLUDED.units, used = EXCLUDED.used, held = EXCLUDED.held;
        slots[h] := ROW(
          holdings, greatest(slots[h].expires_at, found_expiry + ${rememberedMs}), true
        )::${slotType};`;

/** Finds the place of `unit` in the entry, and makes one where there is none. */
const placeSql = (used: string) => `
            p := array_position(found_units, unit);
            IF p IS NULL THEN
              p := cardinality(found_units) + 1;
              found_units[p] := unit;
              found_used[p] := ${used};
              found_held[p] := 0;
            END IF;`;

/** Why a group whose state is in slot `s` cannot be read; null where it can. */
const faultSql = ({ fn }: SqlNames) => `CASE
            WHEN slots[s].state IS NOT NULL AND NOT ${fn("is_sound")}(slots[s].state, code) THEN ${answerKinds.corrupt}
            WHEN code = ${stateCodes["fixed-window"]} AND limits[o + 5] = ${edgeKinds.calendar}
              AND (at < limits[o + 6] OR at >= limits[o + 10]) THEN ${answerKinds.clocksApart}
          END`;

/** Spends `amount` of the group at hand, and notes the mark of it as the `m`th. Places are held, and never spent. */
const spendSql = ({ fn, slotType }: SqlNames) => `
            state := ${fn("state_charge")}(slots[s].state, limits, o, at, amount);
            marks[m] := ${fn("state_mark")}(state, limits, o, at, amount);
            slots[s] := ROW(state, ${fn("state_blank_at")}(state, limits, o), true)::${slotType};`;

/** How many numbers a charge and one of its groups take in a request. */
export const reserveLengths = { charge: 4, group: 8 } as const;

/**
 * Decides what may be held. As a request it is
 *
 * `kind, count, id, id, call number, (holdings, lease, holds anything, groups, (state, limits, unit, is the first of its
 * unit, need, spend, hold, known)…)…`
 *
 * in which the call number is -1 where there is no reservation, and holdings are named as states are.
 */
export function reserveSql(names: SqlNames): string {
  const { fn } = names;
  const { charge, group } = reserveLengths;
  return `
    IF kind = ${requestKinds.reserve} OR kind = ${requestKinds.reservePeek} THEN
      id_high := requests[i];
      id_low := requests[i + 1];
      call_number := requests[i + 2];
      i := i + 3;
      admitted := true;
      worst_standing := ${standings.open};
      held_standings := '{}';
      needs := '{}';
      marks := '{}';
      answer := NULL;
      m := 0;
      j := i;
      FOR c IN 1 .. count LOOP
        h := requests[j];
        group_count := requests[j + 3];
        IF slots[h].state IS NOT NULL AND NOT ${fn("is_sound")}(slots[h].state, ${holdingsCode}) THEN
          answer := ARRAY[${answerKinds.corrupt}, m];
          j := j + ${charge} + ${group} * group_count;
          m := m + group_count;
          CONTINUE;
        END IF;
        holdings := NULL;
        IF slots[h].state IS NOT NULL THEN
${openHoldingsSql(names)}
        END IF;
        standing := ${standings.open};
        found_held := NULL;
        IF call_number >= 0 THEN
${findSql(names)}
          IF found_ended THEN
            standing := ${standings.ended};
          ELSIF call_number <= found_seq THEN
            standing := ${standings.applied};
          ELSIF requests[j + 2] > 0 AND found_holding IS NOT TRUE AND holdings[3] >= ${mostHolds} THEN
            standing := ${standings.crowded};
          END IF;
        END IF;
        held_standings[c] := standing;
        worst_standing := greatest(worst_standing, standing);
        j := j + ${charge};
        FOR g IN 1 .. group_count LOOP
          s := requests[j];
          o := requests[j + 1];
          code := limits[o];
          m := m + 1;
          marks[m] := 0;
          fault := ${faultSql(names)};
          IF fault IS NOT NULL THEN
            answer := ARRAY[fault, m - 1];
          ELSE
            need := CASE
              WHEN standing = ${standings.applied} THEN 0
              WHEN call_number < 0 OR requests[j + 6] = 0 THEN requests[j + 4]
              ELSE greatest(0, requests[j + 5] + requests[j + 6]
                - coalesce(found_held[array_position(found_units, requests[j + 2])], 0))
            END;
            needs[m] := need;
            IF need > 0 AND ${fn("state_wait")}(
              slots[s].state, limits, o, at, need + ${fn("held_of")}(holdings, requests[j + 2])
            ) > 0 THEN
              admitted := false;
            END IF;
          END IF;
          j := j + ${group};
        END LOOP;
      END LOOP;
      IF answer IS NOT NULL THEN
        answers := answers || answer;
        i := j;
        CONTINUE;
      END IF;

      admitted := admitted AND worst_standing < ${standings.crowded};
      IF admitted AND kind = ${requestKinds.reserve} THEN
        m := 0;
        j := i;
        FOR c IN 1 .. count LOOP
          h := requests[j];
          lease := requests[j + 1];
          group_count := requests[j + 3];
          j := j + ${charge};
          IF held_standings[c] <> ${standings.open} THEN
            j := j + ${group} * group_count;
            m := m + group_count;
            CONTINUE;
          END IF;
          IF call_number >= 0 THEN
${openHoldingsSql(names)}
${findSql(names)}
${newEntrySql(names)}
          END IF;
          FOR g IN 1 .. group_count LOOP
            s := requests[j];
            o := requests[j + 1];
            unit := requests[j + 2];
            code := limits[o];
            amount := requests[j + 5];
            m := m + 1;
            IF amount > 0 AND code <> ${stateCodes.concurrent} THEN
${spendSql(names)}
            END IF;
            IF call_number >= 0 AND requests[j + 3] = 1 THEN
${placeSql("CASE WHEN is_new THEN requests[j + 7] ELSE 0 END")}
              found_used[p] := found_used[p] + amount;
              holdings := ${fn("add_held")}(holdings, unit, requests[j + 6] - found_held[p]);
              found_held[p] := requests[j + 6];
            END IF;
            j := j + ${group};
          END LOOP;
          IF call_number >= 0 THEN
            found_seq := call_number;
            found_expiry := greatest(found_expiry, at + lease);
${keepSql(names)}
          END IF;
        END LOOP;
      END IF;

      answers := answers || (CASE
        WHEN worst_standing = ${standings.ended} THEN ${answerKinds.ended}
        WHEN worst_standing = ${standings.crowded} THEN ${answerKinds.crowded}
        WHEN admitted THEN ${answerKinds.admitted}
        ELSE ${answerKinds.refused}
      END)::bigint;
      m := 0;
      FOR c IN 1 .. count LOOP
        h := requests[i];
        group_count := requests[i + 3];
        i := i + ${charge};
        FOR g IN 1 .. group_count LOOP
          s := requests[i];
          m := m + 1;
          answers := answers || (marks[m] || ${fn("held_read")}(
            slots[s].state, limits, requests[i + 1]::int, at, CASE WHEN admitted THEN 0 ELSE needs[m] END,
            partition_ids[h], requests[i + 2], slots[h].state
          ));
          i := i + ${group};
        END LOOP;
      END LOOP;
      CONTINUE;
    END IF;
`;
}

/** How many numbers an adjustment, one of its groups and a refund take in a request. */
export const adjustLengths = { adjustment: 8, group: 8, refund: 3 } as const;

/**
 * Applies what is said of reservations. As a request it is
 *
 * `kind, count, (holdings, lease, id, id, call number, has ended, may hold more, groups, (state, limits, unit, is the
 * first of its unit, known, used, held, refunds, (amount, charged at, mark)…)…)…`
 *
 * What is read is read once where adjustments of one partition follow each other.
 */
export function adjustSql(names: SqlNames): string {
  const { fn, slotType } = names;
  const { adjustment, group, refund } = adjustLengths;
  return `
    IF kind = ${requestKinds.adjust} THEN
      answer := NULL;
      marks := '{}';
      m := 0;
      j := i;
      FOR c IN 1 .. count LOOP
        h := requests[j];
        IF slots[h].state IS NOT NULL AND NOT ${fn("is_sound")}(slots[h].state, ${holdingsCode}) THEN
          answer := ARRAY[${answerKinds.corrupt}, m];
        END IF;
        group_count := requests[j + 7];
        j := j + ${adjustment};
        FOR g IN 1 .. group_count LOOP
          s := requests[j];
          o := requests[j + 1];
          code := limits[o];
          m := m + 1;
          marks[m] := 0;
          fault := ${faultSql(names)};
          IF fault IS NOT NULL THEN answer := ARRAY[fault, m - 1]; END IF;
          j := j + ${group} + ${refund} * requests[j + 7];
        END LOOP;
      END LOOP;
      IF answer IS NOT NULL THEN
        answers := answers || answer;
        i := j;
        CONTINUE;
      END IF;

      m := 0;
      j := i;
      FOR c IN 1 .. count LOOP
        h := requests[j];
        lease := requests[j + 1];
        id_high := requests[j + 2];
        id_low := requests[j + 3];
        call_number := requests[j + 4];
        is_ending := requests[j + 5] = 1;
        raises := requests[j + 6] = 1;
        group_count := requests[j + 7];
        j := j + ${adjustment};
${openHoldingsSql(names)}
${findSql(names)}
        IF found_ended OR (NOT is_ending AND call_number <= found_seq) THEN
          FOR g IN 1 .. group_count LOOP
            j := j + ${group} + ${refund} * requests[j + 7];
          END LOOP;
          m := m + group_count;
          CONTINUE;
        END IF;
${newEntrySql(names)}
        changes := '{}';
        FOR g IN 1 .. group_count LOOP
          s := requests[j];
          o := requests[j + 1];
          unit := requests[j + 2];
          code := limits[o];
          m := m + 1;
${placeSql("requests[j + 4]")}
          IF requests[j + 3] = 1 THEN
            changes[p] := requests[j + 5] - found_used[p];
            found_used[p] := requests[j + 5];
            need := CASE
              WHEN is_ending THEN 0
              WHEN raises THEN requests[j + 6]
              ELSE least(requests[j + 6], found_held[p])
            END;
            holdings := ${fn("add_held")}(holdings, unit, need - found_held[p]);
            found_held[p] := need;
          END IF;
          amount := changes[p];
          k := requests[j + 7];
          j := j + ${group};
          IF amount > 0 AND code <> ${stateCodes.concurrent} THEN
${spendSql(names)}
          ELSIF amount < 0 AND slots[s].state IS NOT NULL THEN
            state := slots[s].state;
            amount := -amount;
            FOR n IN 0 .. k - 1 LOOP
              EXIT WHEN amount = 0;
              need := least(amount, requests[j + ${refund} * n]);
              state := ${fn("state_refund")}(
                state, limits, o, at, need, requests[j + ${refund} * n + 1], requests[j + ${refund} * n + 2]
              );
              amount := amount - need;
            END LOOP;
            slots[s] := ROW(state, ${fn("state_blank_at")}(state, limits, o), true)::${slotType};
          END IF;
          j := j + ${refund} * k;
        END LOOP;
        IF is_ending THEN
          FOR n IN 1 .. cardinality(found_units) LOOP
            holdings := ${fn("add_held")}(holdings, found_units[n], -found_held[n]);
            found_held[n] := 0;
          END LOOP;
        END IF;
        found_seq := greatest(found_seq, call_number);
        found_ended := is_ending;
        found_expiry := CASE
          WHEN 0 < ANY (found_held) THEN greatest(found_expiry, at + lease)
          ELSE at + lease + ${rememberedMs}
        END;
${keepSql(names)}
      END LOOP;

      a := cardinality(answers) + 1;
      answers[a] := ${answerKinds.admitted};
      m := 0;
      before_this := 0;
      -- The first description of limits that was read for the partition at hand.
      k := 0;
      s := 0;
      FOR c IN 1 .. count LOOP
        h := requests[i];
        group_count := requests[i + 7];
        i := i + ${adjustment};
        IF h <> s OR requests[i + 1] <> k THEN
          s := h;
          k := requests[i + 1];
          p := NULL;
        ELSE
          p := a - before_this;
        END IF;
        before_this := a;
        FOR g IN 1 .. group_count LOOP
          m := m + 1;
          a := a + 1;
          answers[a] := marks[m];
          o := requests[i + 1];
          IF p IS NULL THEN
            answer := ${fn("held_read")}(
              slots[requests[i]::int].state, limits, o, at, 0, partition_ids[h], requests[i + 2], slots[h].state
            );
            FOR n IN 1 .. cardinality(answer) LOOP answers[a + n] := answer[n]; END LOOP;
          ELSE
            FOR n IN a + 1 .. a + 3 * limits[o + 1] LOOP answers[n] := answers[n - p]; END LOOP;
          END IF;
          a := a + 3 * limits[o + 1]::int;
          i := i + ${group} + ${refund} * requests[i + 7]::int;
        END LOOP;
      END LOOP;
      CONTINUE;
    END IF;
`;
}
