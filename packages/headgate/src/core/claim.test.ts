import { expect, it } from "vitest";
import {
  beginClaim,
  type ClaimChange,
  type ClaimRecord,
  changeClaim,
  claimKeptMs,
  isClaimOver,
  meetClaim,
  mostClaimAttempts,
} from "./claim.ts";

const leaseMs = 3;
const claim = { space: "chat/user", key: "ann", id: "m1", fingerprint: "a", result: "", leaseMs };
const states: readonly ClaimChange["state"][] = ["running", "done", "unfinished", "nothing"];
const owners = ["first", "second", "third"] as const;

/** The state of one id, and everything that its owners have done. */
interface World {
  readonly now: number;
  readonly record: ClaimRecord | undefined;
  /** For each owner, the number of the attempt as which it was admitted. An owner can ask once and end once. */
  readonly attempts: Readonly<Record<string, number>>;
  readonly ended: readonly string[];
  /** The owners that were charged for their request and not refunded. */
  readonly paid: readonly string[];
  /** The owner that completed the id. */
  readonly doneBy: string | undefined;
}

/** All possible next events. */
function* next(world: World): Generator<World> {
  const { now, record, attempts, ended, paid } = world;
  yield { ...world, now: now + 1 };
  yield { ...world, now: now + leaseMs };
  for (const owner of owners) {
    const attempt = attempts[owner];
    if (attempt === undefined) {
      const met = meetClaim(record, claim, owner, now);
      if (typeof met !== "number") continue;
      yield {
        ...world,
        record: beginClaim(claim, owner, met, now),
        attempts: { ...attempts, [owner]: met },
        paid: met === 1 ? [...paid, owner] : paid,
      };
      continue;
    }
    if (ended.includes(owner)) continue;
    for (const state of states) {
      const change = { ...claim, attempt, requests: 1, state };
      const changed = changeClaim(record, change, owner, false, now);
      // Applying the change twice has the same result as once.
      expect(changeClaim(changed, change, owner, false, now)).toEqual(changed);
      yield {
        ...world,
        record: changed,
        ended: state === "running" ? ended : [...ended, owner],
        paid: state === "nothing" ? paid.filter((one) => one !== owner) : paid,
        doneBy: world.doneBy ?? (changed?.done === true && changed.rid === owner ? owner : undefined),
      };
    }
  }
}

/** What must be true in every reachable world. */
function check({ now, record, attempts, paid, doneBy }: World): void {
  if (doneBy !== undefined) expect(record).toMatchObject({ done: true, rid: doneBy });
  if (record === undefined || isClaimOver(record, now)) return;
  expect(record.attempt).toBeGreaterThanOrEqual(1);
  expect(record.attempt).toBeLessThanOrEqual(mostClaimAttempts);
  // There is one owner at a time: while its lease lasts, no other is admitted.
  if (!record.done && record.until > now)
    expect(meetClaim(record, claim, "stranger", now)).toHaveProperty("state", "running");
  // There are at most three attempts, and one charge pays for all of them.
  expect(Object.keys(attempts).length).toBeLessThanOrEqual(mostClaimAttempts);
  expect(paid.length).toBeLessThanOrEqual(1);
}

it("a claim has one live owner, and one charge in three attempts, for any events in any order", () => {
  const start: World = { now: 0, record: undefined, attempts: {}, ended: [], paid: [], doneBy: undefined };
  const seen = new Set<string>();
  let worlds = [start];
  for (let depth = 0; depth < 8; depth += 1) {
    const found: World[] = [];
    for (const world of worlds) {
      for (const one of next(world)) {
        const name = JSON.stringify(one);
        if (seen.has(name)) continue;
        seen.add(name);
        check(one);
        found.push(one);
      }
    }
    worlds = found;
  }
  expect(seen.size).toBeGreaterThan(10_000);
});

it("a claim expires a day after its end, or a day after its lease", () => {
  const begun = beginClaim(claim, "first", 1, 0);
  expect([isClaimOver(begun, leaseMs + claimKeptMs - 1), isClaimOver(begun, leaseMs + claimKeptMs)]).toEqual([
    false,
    true,
  ]);
  const done = changeClaim(
    begun,
    { ...claim, attempt: 1, requests: 1, state: "done" },
    "first",
    false,
    2,
  ) as ClaimRecord;
  expect([isClaimOver(done, claimKeptMs + 1), isClaimOver(done, claimKeptMs + 2)]).toEqual([false, true]);
});
