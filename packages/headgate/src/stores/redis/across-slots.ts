import { withoutRequests } from "../../core/claim.ts";
import type { Charge, Outcome } from "../../core/store.ts";
import {
  type Answer,
  type Attempt,
  attemptOf,
  isAdmitted,
  isKnown,
  outcomesOf,
  placeOfClaim,
  throwFaultOf,
  undecidedMs,
} from "./attempt.ts";
import type { Cancels } from "./cancels.ts";
import { createCharging } from "./charging.ts";
import type { Commits } from "./commits.ts";
import { explain, pause } from "./contention.ts";
import { type Ask, merge, type SlotShare } from "./slots.ts";
import { within } from "./within.ts";

/** Decides requests whose charges are in several slots: at once, or again if attempts of others are in the way. */
export function createAcrossSlots(ask: Ask, cancels: Cancels, commits: Commits) {
  const charge = createCharging(ask, cancels, commits);

  /** The slot's new answer, if it gives one; otherwise its earlier answer. */
  async function reread(attempt: Attempt, share: SlotShare<Charge>, before: Outcome): Promise<Outcome> {
    return (await within(undecidedMs, look(attempt, share)).catch(() => undefined)) ?? before;
  }

  /** Waits until the attempts in the way are decided. @returns whether this one may be repeated */
  async function giveWay(
    { charges: shares, hold }: Attempt,
    outcomes: readonly Outcome[],
    startedAt: number,
  ): Promise<boolean> {
    explain(commits, shares, outcomes);
    await pause(performance.now() - startedAt);
    // A late cancel would undo a repeated attempt with the same number.
    return hold === undefined || cancels.settle(hold.rid);
  }

  /** Charges all slots, or returns why not. */
  async function chargeAcross(attempt: Attempt): Promise<Outcome> {
    const { charges: shares } = attempt;
    const startedAt = performance.now();
    const first = outcomesOf(await charge(attempt, false));
    const refusals = first.filter(({ admitted }) => !admitted);
    if (refusals.length === 0) return merge(shares, first, true);
    let last: Answer[] = first;
    if (refusals.every(({ contended }) => contended)) {
      if (!(await giveWay(attempt, first, startedAt))) return merge(shares, first, false);
      last = await charge(attempt, true);
      if (last.every(isAdmitted)) return merge(shares, outcomesOf(last), true);
    } else if (!explain(commits, shares, first)) {
      return merge(shares, first, false);
    }
    const second = last.map(async (answer, s) => {
      const before = first[s] as Outcome;
      const isOld = before.contended && (answer === undefined || answer === before);
      return isOld ? reread(attempt, shares[s] as SlotShare<Charge>, before) : (answer ?? before);
    });
    return merge(shares, outcomesOf(await Promise.all(second)), false);
  }

  /** The same for a request that claims an id. If the id is known, that is the answer. */
  async function claimAcross(attempt: Attempt, isRetry = false): Promise<Outcome> {
    const { charges: shares, claim } = attempt;
    const startedAt = performance.now();
    const answers = await charge(attempt, isRetry);
    const first = answers[placeOfClaim(shares, claim)];
    if (isKnown(first)) return first;
    const isCharged = answers.every(isAdmitted);
    throwFaultOf(answers);
    const isFree = attemptOf(first) > 1;
    const outcomes = outcomesOf(
      await Promise.all(
        answers.map((answer, s) => answer ?? look(attempt, shares[s] as SlotShare<Charge>, isFree)),
      ),
    );
    const outcome = merge(shares, outcomes, isCharged);
    if (isCharged) return { ...outcome, attempt: attemptOf(first) };
    const isContended = outcomes.every(({ admitted, contended }) => admitted || contended);
    if (isRetry || !isContended) return outcome;
    if (!(await giveWay(attempt, outcomes, startedAt))) return outcome;
    return claimAcross(attempt, true);
  }

  /** @param isFree whether an earlier attempt at the id has paid for the requests. */
  function look(
    { at, hold }: Attempt,
    { slot, keys, parts }: SlotShare<Charge>,
    isFree = false,
  ): Promise<Outcome> {
    const asked = isFree ? withoutRequests(parts) : parts;
    return ask(slot, { do: "peek", at, keys, parts: asked, hold, attempt: "" });
  }

  return { chargeAcross, claimAcross };
}
