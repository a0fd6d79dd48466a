import type { Clock } from "../core/clock.ts";
import type { LimitSet } from "../core/limit-set.ts";
import type { OutagePolicy } from "../core/outage-policy.ts";
import { checkOutcome } from "../core/outcome.ts";
import { type Ledger, partOf, type Question, type Ruling, unasked } from "../core/ruling.ts";
import { isWorker } from "../core/runtime.ts";
import type { Adjustment, Charge, Outcome, Store } from "../core/store.ts";
import { createBreaker, type OutageEvent } from "./breaker.ts";
import { createFirstContact } from "./first-contact.ts";
import { createLine } from "./line.ts";
import { decideByPolicies } from "./policies.ts";
import { createPresence } from "./presence.ts";
import { untilReady } from "./readiness.ts";
import { LocalLedger } from "./reconcile/local-ledger.ts";
import { createReconciliation } from "./reconcile/reconciliation.ts";
import { createRefusalMemory } from "./refusal-memory/refusal-memory.ts";
import type { StoreStatus } from "./status.ts";
import { createStoreCalls, StoreLeftAlone } from "./store-calls.ts";
import { createTimeLimit, StoreTimeoutError } from "./time-limit.ts";

export interface GuardedStoreOptions {
  readonly store: Store;
  /** The limiter's name: its processes share its quotas. */
  readonly limiter: string;
  readonly clock: Clock;
  /** How long a call may take, ms. */
  readonly timeoutMs: number;
  /** How long the first decisions wait for a store that has never answered, ms. */
  readonly connectMs: number;
  readonly policyOf: (layer: string) => OutagePolicy;
  readonly onOutage: (event: OutageEvent) => void;
  readonly report: (error: unknown) => void;
  /** Gives everything back that this ruling charged: the request has been decided without it. */
  readonly takeBack: (ruling: Ruling) => void;
  /** How the store would refuse these charges, where a block is known: it must not end because the store is down. */
  readonly findBlock: (charges: readonly Charge[], now: number) => Outcome | undefined;
  /** Called as a question is sent to the store: what is asked in the same turn may travel along. */
  readonly onAsked?: (question: Question) => void;
  /** From 0 up to 1, drawn anew for each probe; spreads those of many processes. Default `Math.random`. */
  readonly random?: () => number;
}

/** A store that always answers, in time: by itself, from what it refused a moment ago, or by the outage policies. */
export interface GuardedStore {
  decide(question: Question, peek: boolean): Ruling | Promise<Ruling>;
  /**
   * Rulings that charge nothing, for what is to be charged by adjusting them. Makes no call.
   *
   * @param question one that costs nothing.
   */
  open(question: Question): Ruling[];
  /** Rejects where the store cannot be asked: nothing is kept, whoever resets is to know. */
  reset(partitions: readonly { space: string; key: string; limits: LimitSet }[]): Promise<void>;
  /**
   * Puts an override into force, or ends it. Rejects where the store cannot be asked.
   *
   * @param apply the store's own, at this time.
   */
  override(
    partitions: readonly { space: string; key: string }[],
    apply: (now: number) => void | Promise<void>,
  ): Promise<void>;
  status(): StoreStatus;
  /**
   * Resolves once the store decides; see `untilReady`.
   *
   * @param question what to ask the store without charging it, besides its own `check`.
   * @throws HeadgateError `store-unavailable` or `limiter-closed`
   */
  ready(longestMs: number, question: Question): Promise<void>;
  /**
   * Tells the store what it has yet to be told, if it answers, and ends the timer. What is left then is lost with the
   * process, and reported.
   */
  stop(): Promise<void>;
}

/** So many failures in a row, and the store is left alone. */
export const failuresToOpen = 5;
/** While it is left alone, it is tried this often, a fifth more or less. */
export const probeEveryMs = 1000;
/** Partitions, leases and handles that may wait to be told to the store. */
export const mostWaiting = 10_000;
const shortestRetryMs = 1000;

export function guardStore(options: GuardedStoreOptions): GuardedStore {
  const {
    store,
    limiter,
    clock,
    timeoutMs,
    connectMs,
    policyOf,
    onOutage,
    report,
    takeBack,
    findBlock,
    onAsked,
    random = Math.random,
  } = options;
  const refusals = createRefusalMemory();
  const breaker = createBreaker({
    store: store.name,
    clock,
    failuresToOpen,
    probeEveryMs,
    random,
    onTransition: onOutage,
  });
  const calls = createStoreCalls({
    store,
    breaker,
    timeoutMs,
    report,
    onFailure: () => reconciliation.wakeLater(),
  });
  const { counters } = calls;
  const contact = createFirstContact(store, connectMs, ({ charges }) => askWithoutCharge(charges));
  const presence = createPresence(store, limiter, () => clock.now());
  const line = createLine(timeoutMs);
  let lastAsked: Question | undefined;
  let stopped = false;

  /**
   * After the store's own check, which knows what is wrong with it, the whole way that a real question goes: the first of
   * these is slow as well, and a store without a check would be asked nothing at all.
   */
  async function askWithoutCharge(charges: readonly Charge[]): Promise<void> {
    await store.check?.();
    presence.note();
    if (charges.length > 0) await store.decide(charges, clock.now(), true);
  }

  const reconciliation = createReconciliation({
    breaker,
    clock,
    retryEveryMs: probeEveryMs,
    most: mostWaiting,
    async probe() {
      const { charges } = lastAsked ?? { charges: [] };
      await calls.bounded(() => askWithoutCharge(charges));
    },
    onProbe() {
      counters.probes += 1;
    },
    onDropped() {
      counters.dropped += 1;
      if (counters.dropped > 1) return;
      report(
        new Error(`Over ${mostWaiting} changes wait for the store "${store.name}": the oldest are dropped.`),
      );
    },
  });

  const patience = createTimeLimit(store.name, timeoutMs);
  const ledger: Ledger = {
    async adjust(adjustments, now) {
      if (!reconciliation.mayTell()) throw new StoreLeftAlone(store.name);
      const givingBack = adjustments.filter(givesBack);
      refusals.forget(givingBack);
      const outcome = await calls.change(adjustments, now);
      refusals.forget(givingBack);
      return outcome;
    },
    keep: reconciliation.keep,
    patience: (applying) =>
      patience(applying).then(
        () => {},
        () => {},
      ),
  };

  const local = new LocalLedger({
    store: ledger,
    now: () => clock.now(),
    onCharged() {
      counters.reconciled += 1;
    },
    most: mostWaiting,
  });

  function byPolicies(question: Question, peek: boolean): Ruling {
    if (!peek) counters.byOutagePolicy += 1;
    const now = clock.now();
    const blocked = findBlock(question.charges, now);
    if (blocked !== undefined) return { ...question, outcome: blocked, ledger, decidedBy: "outage-policy" };
    const retryMs = Math.max(shortestRetryMs, breaker.nextProbeAt - now);
    return decideByPolicies(question, policyOf, local, presence.processes ?? 1, now, peek, retryMs);
  }

  function byMemory(question: Question, outcome: Outcome, places: readonly number[] | undefined): Ruling {
    const decidedBy = "refusal-memory";
    counters.byRefusalMemory += 1;
    if (places === undefined) {
      return { layers: question.layers, charges: question.charges, outcome, ledger, decidedBy };
    }
    return { ...partOf(question, places), places, outcome, ledger, decidedBy };
  }

  /** What the store has refused a moment ago is refused; else the outage policies decide. */
  function withoutStore(question: Question, peek: boolean): Ruling {
    const known = refusals.find(question.charges, clock.now());
    if (known !== undefined && "outcome" in known) return byMemory(question, known.outcome, known.places);
    return byPolicies(question, peek);
  }

  /** Asks the store; where it does not answer, the outage policies. Never rejects. */
  function ask(question: Question, peek: boolean, isProbe: boolean): Promise<Ruling> {
    const { charges, hold } = question;
    const askedAt = clock.now();
    let answering: Outcome | Promise<Outcome> | undefined;
    lastAsked = question;
    presence.note();
    line.entered();
    const enteredAt = performance.now();
    const call = calls.bounded(() => {
      const answer = store.decide(charges, askedAt, peek, peek ? undefined : hold);
      answering =
        answer instanceof Promise
          ? answer.then((outcome) => checkOutcome(store.name, charges, outcome))
          : checkOutcome(store.name, charges, answer);
      return answering;
    });
    onAsked?.(question);
    if (isProbe) reconciliation.probed(call);
    return call.then(
      (outcome) => {
        if (!peek) counters.byStore += 1;
        const now = clock.now();
        if (outcome.admitted) refusals.contradict(charges, now);
        else refusals.remember(charges, outcome, askedAt, now);
        line.left(true, performance.now() - enteredAt);
        reconciliation.tellIfDue();
        return { ...question, outcome, ledger, decidedBy: "store" };
      },
      (error) => {
        line.left(false, performance.now() - enteredAt);
        if (error instanceof StoreTimeoutError && !peek) void takeBackLate(question, answering);
        return withoutStore(question, peek);
      },
    );
  }

  /** The request has been decided otherwise: were this charge to stay, it would be charged twice. */
  async function takeBackLate(
    question: Question,
    answering: Outcome | Promise<Outcome> | undefined,
  ): Promise<void> {
    try {
      const outcome = await answering;
      if (outcome === undefined) return;
      counters.lateAnswers += 1;
      if (outcome.admitted) takeBack({ ...question, outcome, ledger, decidedBy: "store" });
    } catch {
      // It failed after all, and has been counted as a failure before.
    }
  }

  /** @param isItsTurn whether it has stood in line. */
  function decide(
    question: Question,
    peek: boolean,
    hasWaited: boolean,
    isItsTurn: boolean,
  ): Ruling | Promise<Ruling> {
    // Where no layer applies there is nothing to ask.
    if (question.charges.length === 0) return unasked(question, ledger, clock.now());
    const connecting = contact.wait(question);
    if (connecting !== undefined) return connecting.then(() => decide(question, peek, hasWaited, false));
    const go = breaker.ask();
    if (go === "wait") return withoutStore(question, peek);
    if (go === "probe") return ask(question, peek, true);

    const known = refusals.find(question.charges, clock.now());
    if (known === undefined) return askInTurn(question, peek, hasWaited, isItsTurn);
    if ("outcome" in known) return byMemory(question, known.outcome, known.places);
    if (hasWaited || isWorker) return askInTurn(question, peek, hasWaited, isItsTurn);
    if ("wait" in known) {
      return known.wait.then((answered) =>
        answered ? decide(question, peek, true, false) : withoutStore(question, peek),
      );
    }
    const ruling = ask(question, peek, false);
    known.ask(ruling.then(({ decidedBy }) => decidedBy === "store"));
    return ruling;
  }

  function askInTurn(
    question: Question,
    peek: boolean,
    hasWaited: boolean,
    isItsTurn: boolean,
  ): Ruling | Promise<Ruling> {
    // In a Worker nobody can wait for another's request to leave.
    if (isWorker || isItsTurn || !line.isBusy) return ask(question, peek, false);
    const turn = line.stand((late) =>
      late ? withoutStore(question, peek) : decide(question, peek, hasWaited, true),
    );
    return turn ?? withoutStore(question, peek);
  }

  return {
    decide: (question, peek) => decide(question, peek, false, false),

    open(question) {
      const now = clock.now();
      if (breaker.state === "closed") return [unasked(question, ledger, now)];
      // Where nobody passes without the store nobody is counted here either: the store is told when it is back.
      const places = [...question.layers.keys()].filter(
        (place) => policyOf(question.layers[place] as string).policy === "refuse",
      );
      return [byPolicies(question, true), { ...unasked(partOf(question, places), ledger, now), places }];
    },

    async reset(partitions) {
      refusals.forget(partitions);
      local.reset(partitions, clock.now());
      await calls.bounded(() => store.reset(partitions, clock.now()));
      refusals.forget(partitions);
    },

    async override(partitions, apply) {
      refusals.forget(partitions);
      await calls.bounded(() => apply(clock.now()));
      refusals.forget(partitions);
    },

    status() {
      const { state, since, failures, reason, nextProbeAt } = breaker;
      const { name, remote } = store;
      const waiting = reconciliation.waiting;
      return {
        store: name,
        remote,
        state,
        since,
        failures,
        reason,
        nextProbeAt,
        waiting,
        processes: presence.processes,
        counters: { ...counters },
      };
    },

    async ready(longestMs, question) {
      // Who probes before anybody was decided asks this too: a store without a ping would be asked nothing at all.
      lastAsked ??= question;
      const ask = () => askWithoutCharge(question.charges);
      const { probed } = reconciliation;
      const isClosed = () => stopped;
      await untilReady({ store, breaker, calls, timeoutMs, ask, probed, isClosed }, longestMs);
      contact.end();
    },

    async stop() {
      stopped = true;
      contact.end();
      await reconciliation.stop();
      const { waiting } = reconciliation;
      if (waiting === 0) return;
      const changes = waiting === 1 ? "1 change" : `${waiting} changes`;
      report(new Error(`The store "${store.name}" was never told of ${changes}.`));
    },
  };
}

/** Whether units are free again that were spent or held. */
export function givesBack({ ended, known, used }: Adjustment): boolean {
  return ended || used.some((amount, g) => amount < (known[g] ?? 0));
}
