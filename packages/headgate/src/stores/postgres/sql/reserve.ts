import { mostHolds } from "../../../core/holdings.ts";
import { answerKinds, holdingsCode, requestKinds, stateCodes } from "./codes.ts";
import { beginSql, gatherSql, keepChangesSql } from "./conversion.ts";
import type { SqlNames } from "./names.ts";
import { obstacleSql } from "./overrides.ts";
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

/** What is found of a reservation before a call; the strongest reason last. */
const standings = { open: 0, applied: 1, crowded: 2, ended: 3 } as const;

/** The number of values for a charge and for one of its groups in a request. */
const reserveLengths = { charge: 4, group: 8 } as const;

/**
 * Decides requests with possible holds. In a request they are:
 *
 * `kind, count, id, id, call number, (holdings, lease, holds anything, groups, (state, limits, unit, is the first of
 * its unit, need, spend, hold, known)…)…`
 *
 * The call number is -1 without a reservation. Holdings are named like states.
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
      begun := NULL;
      answer := NULL;
      obstacle := 0;
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
        IF standing <> ${standings.applied} THEN
${obstacleSql("partition_ids[h]", "call_number > 1")}
        END IF;
        held_standings[c] := standing;
        worst_standing := greatest(worst_standing, standing);
        j := j + ${charge};
        FOR g IN 1 .. group_count LOOP
          s := abs(requests[j]);
          o := requests[j + 1];
          code := limits[o];
          m := m + 1;
          marks[m] := 0;
${gatherSql(names)}
${beginSql(names)}
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
              state, limits, o, at, need + ${fn("held_of")}(holdings, requests[j + 2])
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

      admitted := admitted AND worst_standing < ${standings.crowded} AND obstacle = 0;
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
          named := '{}';
          amounts := '{}';
          FOR g IN 1 .. group_count LOOP
            s := abs(requests[j]);
            o := requests[j + 1];
            unit := requests[j + 2];
            code := limits[o];
            amount := requests[j + 5];
            m := m + 1;
            IF amount > 0 AND code <> ${stateCodes.concurrent} THEN
${spendSql(names)}
            END IF;
            named := named || s;
            amounts := amounts || amount;
            IF call_number >= 0 AND requests[j + 3] = 1 THEN
${placeSql("CASE WHEN is_new THEN requests[j + 7] ELSE 0 END")}
              found_used[p] := found_used[p] + amount;
              IF amount > 0 THEN${lastSql("amount")}
              END IF;
              holdings := ${fn("add_held")}(holdings, unit, requests[j + 6] - found_held[p]);
              found_held[p] := requests[j + 6];
            END IF;
            IF call_number >= 0 AND amount > 0 THEN${lastMarkSql}
            END IF;
            j := j + ${group};
          END LOOP;
          IF gathered THEN
            slots := ${fn("charge_company")}(partition_ids, state_ids, slots, named, amounts, at);
          END IF;
          IF call_number >= 0 THEN
            found_seq := call_number;
${expirySql}
${keepSql(names)}
          END IF;
        END LOOP;
      ELSIF kind = ${requestKinds.reserve} AND (obstacle <> ${answerKinds.overridden} OR worst_standing = ${standings.ended}) THEN
        j := i;
        FOR c IN 1 .. count LOOP
          group_count := requests[j + 3];
          j := j + ${charge};
          named := '{}';
          FOR g IN 1 .. group_count LOOP
            s := abs(requests[j]);
            o := requests[j + 1];
            code := limits[o];
${keepChangesSql(names)}
            named := named || s;
            j := j + ${group};
          END LOOP;
          IF gathered THEN
            amounts := array_fill(0::bigint, ARRAY[group_count]);
            slots := ${fn("charge_company")}(partition_ids, state_ids, slots, named, amounts, at);
          END IF;
        END LOOP;
      END IF;

      answers := answers || (CASE
        WHEN worst_standing = ${standings.ended} THEN ${answerKinds.ended}
        WHEN obstacle > 0 THEN obstacle
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
          s := abs(requests[i]);
          o := requests[i + 1];
          m := m + 1;
${beginSql(names)}
          answers := answers || (marks[m] || ${fn("held_read")}(
            state, limits, o, at, CASE WHEN admitted THEN 0 ELSE needs[m] END,
            partition_ids[h], requests[i + 2], slots[h].state
          ));
          i := i + ${group};
        END LOOP;
      END LOOP;
      CONTINUE;
    END IF;
`;
}
