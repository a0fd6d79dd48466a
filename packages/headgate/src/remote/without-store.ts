import type { Claim, KnownClaim } from "../core/claim.ts";
import type { Clock } from "../core/clock.ts";
import type { OutagePolicy } from "../core/outage-policy.ts";
import { type Ledger, type Question, type Ruling, repeated } from "../core/ruling.ts";
import type { Charge, Outcome } from "../core/store.ts";
import type { Breaker } from "./breaker.ts";
import type { Pace } from "./pace.ts";
import { decideByPolicies } from "./policies.ts";
import type { Presence } from "./presence.ts";
import type { LocalLedger } from "./reconcile/local-ledger.ts";
import type { RefusalMemory } from "./refusal-memory/refusal-memory.ts";
import type { Slowness } from "./slowness.ts";
import type { createCounters } from "./status.ts";

export interface WithoutStoreOptions {
  readonly clock: Clock;
  readonly breaker: Breaker;
  readonly slowness: Slowness;
  readonly pace: Pace;
  readonly presence: Presence;
  readonly refusals: RefusalMemory;
  readonly counters: ReturnType<typeof createCounters>;
  /** The store, which gets the counts afterwards. */
  readonly ledger: Ledger;
  /** This process's own counts. */
  readonly local: LocalLedger;
  readonly policyOf: (layer: string) => OutagePolicy;
  readonly report: (error: unknown) => void;
  readonly findBlock: (charges: readonly Charge[], now: number) => Outcome | undefined;
  readonly findClaim: (claim: Claim) => KnownClaim | undefined;
  readonly findUnsentClaim: (claim: Claim) => KnownClaim | undefined;
}

/** Decides without calling the store: at once, from what this process knows. */
export interface WithoutStore {
  /** A refusal that the store gave a moment ago is repeated; otherwise the outage policies decide. */
  decide(question: Question, peek: boolean): Ruling;
  byPolicies(question: Question, peek: boolean): Ruling;
  /** What this process knows about an id that the store does not know yet; `undefined` if it knows nothing. */
  byOwnClaim(question: Question, peek: boolean): Ruling | undefined;
  /** @param places the places of the question that the remembered refusal is about; absent for all of them. */
  byMemory(question: Question, outcome: Outcome, places: readonly number[] | undefined): Ruling;
}

const shortestRetryMs = 1000;

export function createWithoutStore(options: WithoutStoreOptions): WithoutStore {
  const { clock, breaker, slowness, presence, refusals, counters, ledger, local, policyOf, findBlock } =
    options;
  const { findClaim, findUnsentClaim, report } = options;
  let isWholeReported = false;

  /** Several processes that have never reached the store have the whole quota each, which an operator must know. */
  function reportWholeQuota({ layers }: Question): void {
    if (isWholeReported || !presence.isUnknown) return;
    const whole = layers.find((layer) => {
      const outage = policyOf(layer);
      return outage.policy === "local" && outage.instances === undefined;
    });
    if (whole === undefined) return;
    isWholeReported = true;
    report(
      new Error(
        "The store has not reported yet how many processes share it: this process has the whole quota of layer " +
          `"${whole}" until it does. If there are several, set outage: { policy: "local", instances: 10 } with their number.`,
      ),
    );
  }

  function byClaim(question: Question, peek: boolean, find: typeof findClaim): Ruling | undefined {
    const known = question.claim === undefined || peek ? undefined : find(question.claim);
    if (known === undefined) return undefined;
    const outcome = { admitted: false, now: clock.now(), readings: [], marks: [], known };
    return { ...question, outcome, ledger, decidedBy: "outage-policy" };
  }

  function byPolicies(question: Question, peek: boolean): Ruling {
    if (!peek) {
      counters.byOutagePolicy += 1;
      reportWholeQuota(question);
    }
    const now = clock.now();
    const blocked = findBlock(question.charges, now);
    if (blocked !== undefined) return { ...question, outcome: blocked, ledger, decidedBy: "outage-policy" };
    const claimed = byClaim(question, peek, findClaim);
    if (claimed !== undefined) return claimed;
    const retryMs = Math.max(shortestRetryMs, breaker.nextProbeAt - now);
    const pace = slowness.isSlow ? options.pace : undefined;
    return decideByPolicies(question, policyOf, local, presence.processes ?? 1, now, peek, retryMs, pace);
  }

  function byMemory(question: Question, outcome: Outcome, places: readonly number[] | undefined): Ruling {
    counters.byRefusalMemory += 1;
    return repeated(question, outcome, places, ledger);
  }

  function decide(question: Question, peek: boolean): Ruling {
    const known = question.claim === undefined ? refusals.find(question.charges, clock.now()) : undefined;
    if (known !== undefined && "outcome" in known) return byMemory(question, known.outcome, known.places);
    return byPolicies(question, peek);
  }

  return {
    decide,
    byPolicies,
    byOwnClaim: (question, peek) => byClaim(question, peek, findUnsentClaim),
    byMemory,
  };
}
