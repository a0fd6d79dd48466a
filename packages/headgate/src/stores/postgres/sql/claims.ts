import { claimKeptMs, mostClaimAttempts, nobody } from "../../../core/claim.ts";
import { answerKinds } from "./codes.ts";
import { quoteText, type SqlNames } from "./names.ts";
import { graceMs } from "./sweep.ts";

/** Each new claim deletes at most this many expired ones. */
const mostForgotten = 20;

/** The states of a claim, by number. */
export const claimStates = ["running", "done", "unfinished", "nothing"] as const;

/** The ids that requests have claimed: core/claim.ts. */
export function claimsTableSql({ claimsTable }: SqlNames, unlogged: boolean): string {
  return `
IF to_regclass(${quoteText(claimsTable)}) IS NULL THEN
  CREATE ${unlogged ? "UNLOGGED " : ""}TABLE ${claimsTable} (
    -- SHA-256 of layer, key and id, the first 128 bits.
    claim_id uuid PRIMARY KEY,
    fingerprint text NOT NULL,
    result text NOT NULL,
    -- The reservation that owns it.
    rid text NOT NULL,
    attempt int NOT NULL,
    done boolean NOT NULL,
    -- The end of its lease; milliseconds since 1970-01-01T00:00Z.
    ends_at bigint NOT NULL,
    -- From this time on, the row counts for nothing.
    expires_at bigint NOT NULL
  );
  CREATE INDEX ON ${claimsTable} (expires_at);
END IF;
`;
}

const applyParameters =
  "partition_ids uuid[], state_ids bigint[], limits bigint[], requests bigint[], locks int[], at bigint";

/**
 * Two functions around `apply`. The first decides one request that claims an id: `requests` pays for requests, and
 * `free_requests` is the same for an attempt that takes over. It returns the attempt, a space, and the answer of
 * `apply`. If the id is known, it returns 0, the state (1 running, 2 done, 3 conflict), the time, and the result. The
 * second applies adjustments and the changes of their claims. `places` are the indexes in `requests` of the known
 * requests of a reservation: if it owns the claim, its requests have been counted.
 *
 * The lock of the partition that a claim is kept with is among `locks`. Everything that a claim depends on is on disk
 * before the answer, as far as the server's settings allow.
 */
export function claimsSql({ fn, claimsTable, lockClass }: SqlNames): string {
  const columns = "claim_id, fingerprint, result, rid, attempt, done, ends_at, expires_at";
  const replaced = columns
    .split(", ")
    .slice(1)
    .map((column) => `${column} = EXCLUDED.${column}`)
    .join(", ");
  const begin = `
  PERFORM pg_advisory_xact_lock(${lockClass}, key) FROM unnest(locks) AS key;
  moment := coalesce(at, floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint);`;
  return `
CREATE OR REPLACE FUNCTION ${fn("claim")}(
  named uuid, body text, reference text, owner text, lease bigint, free_requests bigint[], ${applyParameters}
)
RETURNS text LANGUAGE plpgsql VOLATILE SET enable_seqscan = off AS $function$
DECLARE
  durability text := current_setting('synchronous_commit');
  moment bigint;
  known record;
  nth int := 1;
  is_paid boolean := false;
  answer text;
BEGIN${begin}
  SELECT v.* INTO known FROM ${claimsTable} AS v WHERE v.claim_id = named AND v.expires_at > moment;
  IF FOUND THEN
    IF known.rid = owner AND NOT known.done THEN
      nth := known.attempt;
      is_paid := true;
    ELSIF known.fingerprint <> body THEN
      RETURN '0 3 ' || moment || ' ';
    ELSIF known.done THEN
      RETURN '0 2 ' || moment || ' ' || known.result;
    ELSIF known.ends_at > moment THEN
      RETURN '0 1 ' || moment || ' ' || known.result;
    ELSIF known.attempt < ${mostClaimAttempts} THEN
      nth := known.attempt + 1;
    END IF;
  END IF;
  IF nth > 1 OR is_paid THEN requests := free_requests; END IF;
  answer := ${fn("apply")}(partition_ids, state_ids, limits, requests, locks, at);
  IF substring(answer FROM '^[{][0-9]+,[0-9]+,([0-9]+)')::int = ${answerKinds.admitted} THEN
    INSERT INTO ${claimsTable} AS v (${columns})
    VALUES (named, body, reference, owner, nth, false, moment + lease, moment + lease + ${claimKeptMs})
    ON CONFLICT (claim_id) DO UPDATE SET ${replaced};
    DELETE FROM ${claimsTable} AS v WHERE v.ctid = ANY (ARRAY(
      SELECT w.ctid FROM ${claimsTable} AS w WHERE w.expires_at <= moment - ${graceMs}
      LIMIT ${mostForgotten} FOR UPDATE SKIP LOCKED
    ));
    PERFORM set_config('synchronous_commit', durability, true);
  END IF;
  RETURN nth || ' ' || answer;
END $function$;

CREATE OR REPLACE FUNCTION ${fn("adjust_claims")}(changes jsonb, ${applyParameters})
RETURNS text LANGUAGE plpgsql VOLATILE SET enable_seqscan = off AS $function$
DECLARE
  durability text := current_setting('synchronous_commit');
  moment bigint;
  change record;
  known record;
  ends bigint;
  place int;
  is_final boolean := false;
  answer text;
BEGIN${begin}
  FOR change IN
    SELECT c.* FROM jsonb_to_recordset(changes) AS c(
      id uuid, fingerprint text, result text, rid text, lease bigint, attempt int, state int, raises boolean, requests bigint, places int[]
    )
  LOOP
    is_final := is_final OR change.state > 1;
    SELECT v.* INTO known FROM ${claimsTable} AS v WHERE v.claim_id = change.id AND v.expires_at > moment;
    IF FOUND THEN
      IF change.raises AND known.rid = change.rid THEN
        FOREACH place IN ARRAY change.places LOOP
          requests[place] := greatest(requests[place], change.requests);
        END LOOP;
      END IF;
      CONTINUE WHEN known.rid <> change.rid OR known.done;
      change.attempt := known.attempt;
    ELSE
      CONTINUE WHEN change.state > 2 OR (change.state = 1 AND NOT change.raises);
    END IF;
    IF change.state <= 2 THEN
      ends := CASE WHEN change.state = 2 THEN moment ELSE greatest(coalesce(known.ends_at, 0), moment + change.lease) END;
      INSERT INTO ${claimsTable} AS v (${columns}) VALUES (
        change.id, change.fingerprint, change.result, change.rid, change.attempt, change.state = 2, ends, ends + ${claimKeptMs}
      )
      ON CONFLICT (claim_id) DO UPDATE SET ${replaced};
    ELSIF change.state = 4 AND known.attempt = 1 THEN
      DELETE FROM ${claimsTable} AS v WHERE v.claim_id = change.id;
    ELSE
      ends := least(known.ends_at, moment);
      UPDATE ${claimsTable} AS v
      SET rid = '${nobody}', ends_at = ends, expires_at = ends + ${claimKeptMs},
        attempt = CASE WHEN change.state = 4 THEN known.attempt - 1 ELSE known.attempt END
      WHERE v.claim_id = change.id;
    END IF;
  END LOOP;
  answer := ${fn("apply")}(partition_ids, state_ids, limits, requests, locks, at);
  IF is_final THEN PERFORM set_config('synchronous_commit', durability, true); END IF;
  RETURN answer;
END $function$;
`;
}
