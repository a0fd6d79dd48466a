import { type Claim, withoutRequests } from "../../core/claim.ts";
import { isInDoubt } from "../../core/ruling.ts";
import type { Charge, Hold, Outcome } from "../../core/store.ts";
import { inDoubt } from "../shared/in-doubt.ts";
import { createCancels } from "./cancels.ts";
import { createCommits } from "./commits.ts";
import { type Ask, bySlot, type Keyed, merge, type SlotShare } from "./slots.ts";
import { within } from "./within.ts";

/**
 * An attempt that not all slots have answered within this time, ms, is cancelled. During this time, slots answer
 * `contended` if a refusal depends on an attempt whose result they do not know yet.
 */
const undecidedMs = 5_000;
/** A contended attempt is repeated after a pause as long as the attempt took, but at most this long, ms. */
const longestPauseMs = 50;

/** One slot's answer, or the error; `undefined` if it has not answered yet or was not asked. */
type Answer = Outcome | Error | undefined;

interface Attempt {
  readonly charges: readonly SlotShare<Charge>[];
  readonly at: number;
  readonly hold: Hold | undefined;
  /** The id that the attempt claims with one of its charges. There is always a hold then. */
  readonly claim?: Claim | undefined;
}

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

  /** Charges all slots or none. @returns each share's answer; `undefined` if it was not asked because another slot refused first. */
  async function charge({ charges: shares, at, hold, claim }: Attempt, inOrder: boolean): Promise<Answer[]> {
    const attempt = crypto.randomUUID();
    const claimAt = placeOfClaim(shares, claim);
    let charged: readonly (readonly Charge[])[] = shares.map(({ parts }) => parts);
    const requestOf = (s: number) => {
      const { keys } = shares[s] as SlotShare<Charge>;
      const parts = charged[s] as readonly Charge[];
      return { at, keys, parts, hold, attempt, claim: s === claimAt ? claim : undefined };
    };
    const answers = new Array<Answer>(shares.length).fill(undefined);
    const asked = new Set<number>();
    const send = async (s: number): Promise<void> => {
      asked.add(s);
      const { slot } = shares[s] as SlotShare<Charge>;
      try {
        answers[s] = await ask(slot, { do: "decide", ...requestOf(s) });
      } catch (error) {
        answers[s] = error as Error;
      }
    };
    let places = [...shares.keys()];
    if (claimAt >= 0) {
      // What the claim's slot knows takes precedence.
      await within(undecidedMs, send(claimAt));
      const first = answers[claimAt];
      places = isAdmitted(first) ? places.filter((s) => s !== claimAt) : [];
      if (attemptOf(first) > 1) charged = charged.map(withoutRequests);
    }
    if (inOrder) {
      places.sort((one, other) => (shares[one]?.slot ?? 0) - (shares[other]?.slot ?? 0));
      for (const s of places) {
        await within(undecidedMs, send(s));
        if (!isAdmitted(answers[s])) break;
      }
    } else {
      await within(undecidedMs, Promise.all(places.map(send)));
    }

    if (answers.every(isAdmitted)) {
      shares.forEach((share, s) => {
        commits.add(share, attempt, (answers[s] as Outcome).readings);
      });
      return answers;
    }
    const final = [...answers];
    await Promise.all(
      [...asked].map(async (s) => {
        const answer = final[s];
        const mayCome = answer === undefined || (answer instanceof Error && isInDoubt(answer));
        if (!mayCome && !isAdmitted(answer)) return;
        const { slot } = shares[s] as SlotShare<Charge>;
        const cancelling = cancels.cancel(slot, { do: "cancel", ...requestOf(s), mayCome });
        if (mayCome) {
          final[s] =
            answer ?? inDoubt(new Error(`The Redis store has not answered within ${undecidedMs} ms.`));
          return;
        }
        const cancelled = await cancelling;
        final[s] = cancelled === undefined ? answer : { ...answer, ...cancelled, admitted: true, marks: [] };
      }),
    );
    return final;
  }

  /** Sends this process's unsent reports to contended slots, because they may be the reason. @returns whether there were any. */
  function explain(shares: readonly SlotShare<Charge>[], outcomes: readonly Outcome[]): boolean {
    return outcomes
      .map(({ contended }, s) => contended && commits.send(shares[s] as SlotShare<Charge>))
      .includes(true);
  }

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
    explain(shares, outcomes);
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
    } else if (!explain(shares, first)) {
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

  /** All charges are in one slot, which keeps the claim too. */
  async function claimInOne({ charges, at, hold, claim }: Attempt): Promise<Outcome> {
    const { slot, keys, parts } = charges[0] as SlotShare<Charge>;
    const request = { do: "decide", at, keys, parts, hold, attempt: "", claim } as const;
    const startedAt = performance.now();
    const outcome = await ask(slot, request);
    if (!outcome.contended) return outcome;
    explain(charges, [outcome]);
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
    if (isContended && (explain(shares, outcomes) || request.do === "decide")) {
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

/** The index of the share that keeps the claim; -1 if there is no claim. */
function placeOfClaim(shares: readonly SlotShare<Charge>[], claim: Claim | undefined): number {
  if (claim === undefined) return -1;
  return shares.findIndex(({ parts }) =>
    parts.some(({ space, key }) => space === claim.space && key === claim.key),
  );
}

function isKnown(answer: Answer): answer is Outcome {
  return answer !== undefined && !(answer instanceof Error) && answer.known !== undefined;
}

function attemptOf(answer: Answer): number {
  return answer === undefined || answer instanceof Error ? 1 : (answer.attempt ?? 1);
}

function isAdmitted(answer: Answer): boolean {
  return answer !== undefined && !(answer instanceof Error) && answer.admitted;
}

/** @throws the error of a failed slot; errors in doubt take precedence. */
function throwFaultOf(answers: readonly Answer[]): void {
  const faults = answers.filter((answer) => answer instanceof Error);
  if (faults.length > 0) throw faults.find(isInDoubt) ?? faults[0];
}

/** @throws as `throwFaultOf` does. */
function outcomesOf(answers: readonly Answer[]): Outcome[] {
  throwFaultOf(answers);
  return answers as Outcome[];
}

/** The competing processes were answered at about the same time, and are reporting their results to the slots now. */
function pause(tookMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.min(longestPauseMs, Math.ceil(tookMs))));
}
