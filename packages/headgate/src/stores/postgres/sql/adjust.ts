import { answerKinds, holdingsCode, requestKinds, stateCodes } from "./codes.ts";
import { beginSql, gatherSql } from "./conversion.ts";
import type { SqlNames } from "./names.ts";
import {
  expirySql,
  faultSql,
  findSql,
  keepSql,
  lastMarkSql,
  lastSql,
  newEntrySql,
  openHoldingsSql,
  placeSql,
  spendSql,
} from "./reservations.ts";
import { giveBackSql } from "./resets.ts";

/** How many numbers an adjustment, one of its groups and a refund take in a request; and where a group says its known use. */
export const adjustLengths = { adjustment: 8, group: 8, known: 4, refund: 3 } as const;

/**
 * Applies adjustments of reservations. In a request they are:
 *
 * `kind, count, (holdings, lease, id, id, call number, has ended, may hold more, groups, (state, limits, unit, is the
 * first of its unit, known, used, held, refunds, (amount, charged at, mark)…)…)…`
 *
 * Consecutive adjustments of one partition get the same readings, which are read once.
 */
export function adjustSql(names: SqlNames): string {
  const { fn, slotType } = names;
  const { adjustment, group, refund } = adjustLengths;
  return `
    IF kind = ${requestKinds.adjust} THEN
      answer := NULL;
      begun := NULL;
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
          s := abs(requests[j]);
          o := requests[j + 1];
          code := limits[o];
          m := m + 1;
          marks[m] := 0;
${gatherSql(names)}
          state := slots[s].state;
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
        -- Prepare each adjustment in its turn: spending by earlier ones counts.
        IF gathered THEN
          k := j;
          FOR g IN 1 .. group_count LOOP
            s := abs(requests[k]);
            o := requests[k + 1];
${beginSql(names)}
            k := k + ${group} + ${refund} * requests[k + 7];
          END LOOP;
        END IF;
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
        last_before := '{}';
        nths := '{}';
        named := '{}';
        amounts := '{}';
        FOR g IN 1 .. group_count LOOP
          s := abs(requests[j]);
          o := requests[j + 1];
          unit := requests[j + 2];
          code := limits[o];
          m := m + 1;
${placeSql("requests[j + 4]")}
          IF requests[j + 3] = 1 THEN
            changes[p] := requests[j + 5] - found_used[p];
            found_used[p] := requests[j + 5];
            nths[p] := 0;
            last_before[p] := found_last_amount[p];
            IF changes[p] > 0 THEN${lastSql("changes[p]")}
            ELSIF changes[p] < 0 THEN
              found_last_amount[p] := greatest(0, found_last_amount[p] + changes[p]);
            END IF;
            need := CASE
              WHEN is_ending THEN 0
              WHEN raises THEN requests[j + 6]
              ELSE least(requests[j + 6], found_held[p])
            END;
            holdings := ${fn("add_held")}(holdings, unit, need - found_held[p]);
            found_held[p] := need;
          END IF;
          amount := changes[p];
          named := named || s;
          amounts := amounts || greatest(0, amount);
          nths[p] := nths[p] + 1;
          k := requests[j + 7];
          j := j + ${group};
          IF amount > 0 AND code <> ${stateCodes.concurrent} THEN
${spendSql(names)}
          END IF;
          IF amount > 0 THEN${lastMarkSql}
          ELSIF amount < 0 AND slots[s].state IS NOT NULL THEN
            state := slots[s].state;
            amount := -amount;
            -- Refund the last spending first, then the charges that the caller lists. The newest of those are the same
            -- charges, or newer ones.
            skipped := last_before[p];
            need := least(amount, skipped);
            IF need > 0 THEN
              mark := (
                SELECT t.v FROM unnest(found_mark_units, found_marks) WITH ORDINALITY AS t(u, v, n)
                WHERE t.u = unit ORDER BY t.n OFFSET nths[p] - 1 LIMIT 1
              );
              mark := coalesce(mark, 0);${giveBackSql(names, "found_last_at[p]", "mark")}
              amount := amount - need;
            END IF;
            FOR n IN 0 .. k - 1 LOOP
              EXIT WHEN amount = 0;
              need := least(skipped, requests[j + ${refund} * n]);
              skipped := skipped - need;
              need := least(amount, requests[j + ${refund} * n] - need);
              CONTINUE WHEN need = 0;
${giveBackSql(names, `requests[j + ${refund} * n + 1]`, `requests[j + ${refund} * n + 2]`)}
              amount := amount - need;
            END LOOP;
            slots[s] := ROW(state, ${fn("state_blank_at")}(state), true)::${slotType};
          END IF;
          j := j + ${refund} * k;
        END LOOP;
        IF gathered THEN
          slots := ${fn("charge_company")}(partition_ids, state_ids, slots, named, amounts, at);
        END IF;
        IF is_ending THEN
          FOR n IN 1 .. cardinality(found_units) LOOP
            holdings := ${fn("add_held")}(holdings, found_units[n], -found_held[n]);
            found_held[n] := 0;
          END LOOP;
        END IF;
        found_seq := greatest(found_seq, call_number);
        found_ended := is_ending;
${expirySql}
${keepSql(names)}
      END LOOP;

      a := cardinality(answers) + 1;
      answers[a] := ${answerKinds.admitted};
      m := 0;
      before_this := 0;
      -- The description of limits that was last read for the current partition.
      last_limits := 0;
      last_partition := 0;
      FOR c IN 1 .. count LOOP
        h := requests[i];
        group_count := requests[i + 7];
        i := i + ${adjustment};
        IF h <> last_partition OR requests[i + 1] <> last_limits THEN
          last_partition := h;
          last_limits := requests[i + 1];
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
            s := abs(requests[i]);
${beginSql(names)}
            answer := ${fn("held_read")}(
              state, limits, o, at, 0, partition_ids[h], requests[i + 2], slots[h].state
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
