import type { Admission, Known, Peek } from "../core/admission.ts";
import { after } from "../core/after.ts";
import type { Cost } from "../core/cost.ts";
import { Decision, RefusedRequest } from "../core/decision.ts";
import { isKnown, knownRequest } from "../core/known-request.ts";
import { checkOptions } from "../core/options.ts";
import { asCharged, countedOf, type Question, type Ruling } from "../core/ruling.ts";
import { within } from "../overriding/terms.ts";
import { Reservation } from "../reservation/reservation.ts";
import { ShadowedReservation } from "../shadow/shadowed-reservation.ts";
import type { Trial } from "../shadow/trial.ts";
import { byKeysOf } from "../stores/memory/by-keys.ts";
import { checkDecision, checkSignal } from "./checks.ts";
import { checkClaim, claiming } from "./claiming.ts";
import type { ClaimOptions, DecisionOptions, Limiter } from "./contract.ts";
import type { LimiterParts } from "./parts.ts";
import { PlainRuling } from "./plain-ruling.ts";
import type { Plain } from "./question-builder.ts";
import type { WaitOptions } from "./waiting.ts";

/** The calls of a limiter that decide. */
export interface Admitting<Caller> extends Pick<Limiter<Caller>, "admit" | "wait" | "peek"> {
  admitUnidentified(): Admission | Promise<Admission>;
}

export function createAdmitting<Caller>(parts: LimiterParts<Caller>): Admitting<Caller> {
  const { store, clock, live, known, observing, waitingRoom, prefixes, services, shadowing } = parts;
  const { check, decide } = parts;
  const byKeys = byKeysOf(store);

  /** @param began when the caller asked, by `performance.now()`; used only if the limiter is observed. */
  function conclude(
    own: Question,
    cost: Cost | undefined,
    decided: Ruling,
    began: number,
    trial: Trial | undefined,
  ): Admission {
    const ruling = asCharged(decided, decided.outcome);
    const question = asCharged(ruling.asked ?? own, ruling.outcome);
    const counted = ruling.outcome.admitted ? countedOf(question, ruling) : undefined;
    const admission =
      counted === undefined
        ? new RefusedRequest(ruling, cost, question)
        : trial === undefined
          ? new Reservation(ruling, counted, cost, services, question)
          : new ShadowedReservation(ruling, counted, cost, services, question, trial);
    observing.decided(own, counted, cost, ruling, admission, began);
    trial?.answered(admission);
    return admission;
  }

  function admitQuestion(
    question: Question,
    cost: Cost | undefined,
    trial: Trial | undefined,
  ): Admission | Promise<Admission> {
    const began = observing.begin();
    return decide(question, cost, false, (ruling) => conclude(question, cost, ruling, began, trial));
  }

  /** The fast path of a memory store without observers, a shadow or overrides. @returns `undefined` if the request needs a whole question */
  function admitByKeys(plain: Plain | undefined, keys: readonly (string | null)[]): Admission | undefined {
    if (plain === undefined || byKeys === undefined || byKeys.decide !== store.decide) return undefined;
    if (shadowing.shadow !== undefined || observing.isObserved || !known.isEmpty) return undefined;
    if (prefixes.refresh() !== undefined || !prefixes.isEmpty) return undefined;
    for (let k = 0; k < keys.length; k += 1) if (keys[k] === null) return undefined;
    const { parts: plainParts, layers, policy } = plain;
    const outcome = byKeys.admit(plainParts, keys as readonly string[], clock.now());
    if (outcome === undefined) return undefined;
    const ruling = new PlainRuling(outcome, store, layers, policy, plainParts, keys as readonly string[]);
    return outcome.admitted
      ? new Reservation(ruling, ruling, undefined, services)
      : new RefusedRequest(ruling, undefined);
  }

  function admitCaller(
    caller: Caller,
    cost: Cost | undefined,
    trialOf?: (question: Question) => Trial,
  ): Admission | Promise<Admission> {
    check(cost);
    const { questions } = live;
    const keys = questions.keysOf(caller);
    if (cost === undefined && trialOf === undefined) {
      const admission = admitByKeys(questions.plain, keys);
      if (admission !== undefined) return admission;
    }
    return after(questions.for(caller, cost, keys), (question) =>
      admitQuestion(
        question,
        cost,
        trialOf === undefined ? shadowing.shadow?.begin(question, caller, cost) : trialOf(question),
      ),
    );
  }

  /** Admits a request with an id. A shadow decides it only if the id is not known, so after the store has answered. */
  function admitClaiming(
    caller: Caller,
    options: ClaimOptions,
    trialOf?: (question: Question) => Trial,
  ): Admission | Known | Promise<Admission | Known> {
    const { cost } = options;
    check(cost);
    const { questions, policy } = live;
    const firstLayer = policy.layers[0]?.name;
    return after(questions.for(caller, cost), (asked): Admission | Known | Promise<Admission | Known> => {
      const question = claiming(asked, options, firstLayer);
      const began = observing.begin();
      return decide(question, cost, false, (ruling): Admission | Known => {
        const { known: found } = ruling.outcome;
        if (found === undefined) {
          const trial =
            trialOf === undefined ? shadowing.shadow?.begin(question, caller, cost) : trialOf(question);
          return conclude(question, cost, ruling, began, trial);
        }
        const answer = knownRequest(ruling, found);
        observing.known(answer);
        return answer;
      });
    });
  }

  function admit(caller: Caller, decision: ClaimOptions): Admission | Known | Promise<Admission | Known>;
  function admit(caller: Caller, decision?: DecisionOptions): Admission | Promise<Admission>;
  function admit(
    caller: Caller,
    decision?: DecisionOptions & Partial<ClaimOptions>,
  ): Admission | Known | Promise<Admission | Known> {
    checkDecision("admit", decision);
    if (!isClaiming(decision)) return admitCaller(caller, decision?.cost);
    checkClaim(decision, store.name, store.claims === true);
    return admitClaiming(caller, decision);
  }

  function wait(caller: Caller, options: ClaimOptions & WaitOptions): Promise<Admission | Known>;
  function wait(caller: Caller, options?: DecisionOptions & WaitOptions): Promise<Admission>;
  async function wait(
    caller: Caller,
    options: DecisionOptions & WaitOptions & Partial<ClaimOptions> = {},
  ): Promise<Admission | Known> {
    checkOptions("wait", options, waitOptions, "option-invalid");
    checkSignal(options.signal);
    const { cost } = options;
    check(cost);
    const claim = isClaiming(options) ? options : undefined;
    if (claim !== undefined) checkClaim(claim, store.name, store.claims === true);
    const { layers, charges } = await live.questions.for(caller, cost);
    const trial = shadowing.shadow?.wait(caller, cost);
    const ask = () =>
      claim === undefined ? admitCaller(caller, cost, trial?.of) : admitClaiming(caller, claim, trial?.of);
    const waiting = waitingRoom.wait({ layers, charges, ask }, options);
    if (trial !== undefined)
      waiting.then((answer) => (isKnown(answer) ? trial.abandon() : trial.over(answer)), trial.abandon);
    return waiting;
  }

  return {
    admit,

    wait,

    peek(caller, decision = {}) {
      checkOptions("peek", decision, ["cost", "layer"], "option-invalid");
      const { cost, layer } = decision;
      check(cost);
      const reading = (question: Question, ruling: Ruling): Peek =>
        ruling.outcome.admitted
          ? { admitted: true, ...new Decision(ruling, cost, question).toJSON() }
          : new RefusedRequest(ruling, cost, question);
      return after(live.questions.for(caller, cost), (whole) => {
        const question = within(whole, layer);
        return decide(question, cost, true, (ruling) => reading(ruling.asked ?? question, ruling));
      });
    },

    admitUnidentified() {
      check(undefined);
      const question = live.questions.forUnidentified(undefined);
      return admitQuestion(question, undefined, shadowing.shadow?.beginUnidentified(question, undefined));
    },
  };
}

const waitOptions = ["cost", "maxWaitMs", "signal", "id", "fingerprint", "result"];

/** An `id` of `undefined` is a mistake, not a request without an id. */
function isClaiming(decision: object | undefined): decision is ClaimOptions {
  return decision !== undefined && ("id" in decision || "fingerprint" in decision || "result" in decision);
}
