import { after } from "../core/after.ts";
import type { Cost } from "../core/cost.ts";
import { countedOf, free, type Question, unasked } from "../core/ruling.ts";
import { checkTarget, within } from "../overriding/terms.ts";
import { Reservation } from "../reservation/reservation.ts";
import type { Limiter } from "./contract.ts";
import type { LimiterParts } from "./parts.ts";
import { checkPenalty } from "./penalising.ts";

const oneRequest: Cost = { requests: 1 };

/** The calls that change what callers have spent. */
export function createCountCalls<Caller>(
  parts: LimiterParts<Caller>,
): Pick<Limiter<Caller>, "penalise" | "reset"> {
  const { store, clock, live, guard, own, observing, waitingRoom, overriding, unannounced } = parts;
  const { shadowing, check, decide } = parts;

  /** Charges a penalty, whatever is left of the quota. */
  function charge(asked: Question, cost: Cost): void | Promise<void> {
    // The question itself costs nothing: `end` charges the penalty, like a settlement.
    const question = free(asked);
    const rulings = guard === undefined ? [unasked(question, store, clock.now())] : guard.open(question);
    const charging = rulings.map((ruling) => {
      const counted = countedOf(question, ruling);
      const penalty = new Reservation(ruling, counted, undefined, {
        ...unannounced,
        settled(_book, _adjustments, { now, order }) {
          observing.penalised(asked, counted, cost, { at: now, order });
        },
      });
      return penalty.end(cost);
    });
    if (charging.some((one) => one !== undefined)) return Promise.all(charging).then(() => {});
  }

  /** Applies the overrides in force. Asks the store only if an override may count a unit that the plans do not. */
  function knowing(asked: Question, cost: Cost): Question | Promise<Question> {
    const found = overriding.underKnown(asked);
    const counted = new Set(found.charges.flatMap(({ limits }) => limits.groups.map(({ unit }) => unit)));
    if (store.override === undefined || Object.keys(cost).every((unit) => counted.has(unit))) return found;
    return decide(asked, undefined, true, (ruling) => ruling.asked ?? asked);
  }

  return {
    penalise(caller, cost = oneRequest) {
      check(undefined);
      checkPenalty(cost, live.units);
      return after(live.questions.for(caller, undefined), (asked) =>
        after(knowing(asked, cost), (question) => {
          const charging = charge(question, cost);
          shadowing.shadow?.penalise(caller, cost);
          return charging;
        }),
      );
    },

    reset(caller, options = {}) {
      check(undefined);
      checkTarget("reset", options);
      return after(live.questions.for(caller, undefined), (question) => {
        const asked = within(question, options.layer);
        const resetting = (guard ?? own).reset(asked.charges);
        shadowing.shadow?.reset(caller, options.layer);
        return after(resetting, () => {
          waitingRoom.changed();
          observing.wasReset(asked);
        });
      });
    },
  };
}
