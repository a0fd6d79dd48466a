import { withoutRequests } from "../../core/claim.ts";
import { isInDoubt } from "../../core/ruling.ts";
import type { Charge, Outcome } from "../../core/store.ts";
import { inDoubt } from "../shared/in-doubt.ts";
import { type Answer, type Attempt, attemptOf, isAdmitted, placeOfClaim, undecidedMs } from "./attempt.ts";
import type { Cancels } from "./cancels.ts";
import type { Commits } from "./commits.ts";
import type { Ask, SlotShare } from "./slots.ts";
import { within } from "./within.ts";

type Charging = (attempt: Attempt, inOrder: boolean) => Promise<Answer[]>;

/** Returns a function that charges the slots of an attempt. */
export function createCharging(ask: Ask, cancels: Cancels, commits: Commits): Charging {
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

  return charge;
}
