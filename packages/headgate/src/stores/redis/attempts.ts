import type { Claim } from "../../core/claim.ts";
import type { Charge, Hold, Outcome } from "../../core/store.ts";
import { inDoubt } from "../shared/in-doubt.ts";
import { createAcrossSlots } from "./across-slots.ts";
import { type Attempt, isAdmitted } from "./attempt.ts";
import { createCancels } from "./cancels.ts";
import { createCommits } from "./commits.ts";
import { explain, pause } from "./contention.ts";
import { type Ask, bySlot, type Keyed, merge, type SlotShare } from "./slots.ts";

export interface Attempts {
  decide(
    charges: readonly Keyed<Charge>[],
    at: number,
    peek: boolean,
    hold: Hold | undefined,
    claim?: Claim,
  ): Promise<Outcome>;
  close(): Promise<void>;
}

/**
 * Decides charges in different slots of a cluster, where one call cannot be atomic. All slots are asked at the same time.
 * Each slot charges its share, all or nothing, and keeps a record of it. If a slot refuses, or may have charged without
 * an answer, the attempt is cancelled. Until then other requests may be refused too early; a request is never admitted
 * beyond a limit. If all slots admit the attempt, this is reported to slots that may soon refuse a request; the other
 * slots treat it as admitted after a while.
 *
 * A refusal because of an attempt that is not decided yet is `contended`. The request is then tried once more, slot after
 * slot in an order that all processes share, so that two requests cannot refuse each other again.
 */
export function createAttempts(ask: Ask): Attempts {
  const cancels = createCancels(ask);
  const commits = createCommits(ask);
  const { chargeAcross, claimAcross } = createAcrossSlots(ask, cancels, commits);

  /** All charges are in one slot, which keeps the claim too. */
  async function claimInOne({ charges, at, hold, claim }: Attempt): Promise<Outcome> {
    const { slot, keys, parts } = charges[0] as SlotShare<Charge>;
    const request = { do: "decide", at, keys, parts, hold, attempt: "", claim } as const;
    const startedAt = performance.now();
    const outcome = await ask(slot, request);
    if (!outcome.contended) return outcome;
    explain(commits, charges, [outcome]);
    await pause(performance.now() - startedAt);
    return ask(slot, request);
  }

  /** Decides a request in one slot, if it is charged only there or not at all. */
  async function askEach(
    shares: readonly SlotShare<Charge>[],
    request: { readonly do: "decide" | "peek"; readonly at: number; readonly hold: Hold | undefined },
  ): Promise<Outcome> {
    const askAll = () =>
      Promise.all(shares.map(({ slot, keys, parts }) => ask(slot, { ...request, keys, parts, attempt: "" })));
    const startedAt = performance.now();
    let outcomes = await askAll();
    const isContended = outcomes.some(({ contended }) => contended);
    if (isContended && (explain(commits, shares, outcomes) || request.do === "decide")) {
      if (request.do === "decide") await pause(performance.now() - startedAt);
      outcomes = await askAll();
    }
    return merge(shares, outcomes, outcomes.every(isAdmitted));
  }

  return {
    async decide(charges, at, peek, hold, claim) {
      const shares = bySlot(charges);
      if (peek) return askEach(shares, { do: "peek", at, hold });
      if (hold !== undefined && !(await cancels.settle(hold.rid)))
        throw inDoubt(new Error("An earlier call about this reservation could not be cancelled yet."));
      if (claim !== undefined) {
        const attempt = { charges: shares, at, hold, claim };
        return shares.length > 1 ? claimAcross(attempt) : claimInOne(attempt);
      }
      return shares.length > 1
        ? chargeAcross({ charges: shares, at, hold })
        : askEach(shares, { do: "decide", at, hold });
    },

    close: cancels.close,
  };
}
