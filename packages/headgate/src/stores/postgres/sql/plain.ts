import { bucketSql } from "./coarse-log.ts";
import { answerKinds, highTotal, largestUsualQuota, requestKinds, stateCodes } from "./codes.ts";
import type { SqlNames } from "./names.ts";
import { wasResetSql } from "./resets.ts";

/**
 * Most requests only charge sliding windows, each state once, and are admitted. They are decided here in one pass,
 * without calling another function, because a call takes longer than its work. If a request is not plain or not
 * admitted, its changes are undone, and the following code decides it.
 *
 * It uses the variables of the `apply` function. `end_of_answers` is the number of earlier answers.
 */
export function plainSql({ slotType }: SqlNames): string {
  return `
    IF kind = ${requestKinds.plain} THEN
      kind := ${requestKinds.admit};
      admitted := true;
      j := i;
      a := cardinality(answers);
      end_of_answers := a;
      a := a + 1;
      answers[a] := ${answerKinds.admitted};
      FOR g IN 1 .. count LOOP
        s := requests[j];
        o := requests[j + 1];
        amount := requests[j + 2];
        code := limits[o];
        span := limits[o + 2];
        bucket := CASE code WHEN ${stateCodes["coarse-log"]} THEN ${bucketSql("span")} ELSE 1 END;
        -- Restored if one of the following charges is refused.
        IF g < count THEN before[g] := slots[s]; END IF;
        state := slots[s].state;
        a := a + 1;
        answers[a] := 0;
        IF company[s] OR (overridden IS NOT NULL AND partition_ids[s] = ANY (overridden)) OR ${wasResetSql} THEN
          -- An earlier request of the batch has found other states of its unit, or it has an override, or it was reset.
          admitted := false;
          EXIT;
        ELSIF state IS NULL THEN
          FOR n IN o + 3 .. o + 1 + 2 * limits[o + 1] BY 2 LOOP
            IF amount > limits[n] THEN admitted := false; EXIT; END IF;
            answers[a + 1] := limits[n] - amount;
            answers[a + 2] := 0;
            answers[a + 3] := limits[n + 1];
            a := a + 3;
          END LOOP;
          state := ARRAY[code, span, at, 0, amount];
        ELSE
          size := cardinality(state);
          m := (size - 3) / 2;
          IF size < 5 OR size % 2 = 0 OR state[1] <> code OR state[m + 2] > at OR state[size] > ${highTotal}
            OR (m >= ${2 * largestUsualQuota} AND m >= 2 * greatest(limits[o + 3], limits[o + 1 + 2 * limits[o + 1]])) THEN
            admitted := false;
            EXIT;
          END IF;
          stamps := state[3:m + 2];
          total := state[size] + amount;
          -- A charge in the bucket of the newest entry is added to that entry. In an exact log, a bucket is a
          -- millisecond.
          shares := stamps[m] / bucket = at / bucket;
          IF shares THEN stamps[m] := at; END IF;
          FOR n IN o + 3 .. o + 1 + 2 * limits[o + 1] BY 2 LOOP
            k := CASE WHEN stamps[1] > at - limits[n + 1] THEN 0 ELSE width_bucket(at - limits[n + 1], stamps) END;
            spent := total - state[m + 3 + k];
            IF spent > limits[n] THEN admitted := false; EXIT; END IF;
            answers[a + 1] := limits[n] - spent;
            answers[a + 2] := 0;
            answers[a + 3] := CASE WHEN k = m THEN limits[n + 1] ELSE stamps[k + 1] + limits[n + 1] - at END;
            a := a + 3;
          END LOOP;
          IF state[2] > span THEN span := state[2]; END IF;
          k := CASE WHEN stamps[1] > at - span THEN 0 ELSE width_bucket(at - span, stamps) END;
          IF shares AND k = 0 THEN
            state[2] := span;
            state[m + 2] := at;
            state[size] := total;
          ELSIF shares THEN
            state := ARRAY[code, span] || stamps[k + 1:m] || state[m + 3 + k:size - 1] || total;
          ELSIF k = 0 THEN
            state := ARRAY[code, span] || stamps || at || state[m + 3:size] || total;
          ELSE
            state := ARRAY[code, span] || stamps[k + 1:m] || at || state[m + 3 + k:size] || total;
          END IF;
        END IF;
        EXIT WHEN NOT admitted;
        slots[s] := ROW(state, at + span, true)::${slotType};
        j := j + 4;
      END LOOP;
      IF admitted THEN
        i := j;
        CONTINUE;
      END IF;
      answers := answers[1:end_of_answers];
      k := 1;
      WHILE i + 4 * (k - 1) < j LOOP
        slots[requests[i + 4 * (k - 1)]::int] := before[k];
        k := k + 1;
      END LOOP;
    END IF;
`;
}
