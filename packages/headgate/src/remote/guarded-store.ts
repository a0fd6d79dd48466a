import type { Claim, KnownClaim } from "../core/claim.ts";
import type { Clock } from "../core/clock.ts";
import type { LimitSet } from "../core/limit-set.ts";
import type { OutagePolicy } from "../core/outage-policy.ts";
import { partOf, type Question, type Ruling, unasked } from "../core/ruling.ts";
import type { Charge, Outcome, Store } from "../core/store.ts";
import { createBreaker, type OutageEvent } from "./breaker.ts";
import { createFirstContact, type FirstContact } from "./first-contact.ts";
import { createLine } from "./line.ts";
import { createPace } from "./pace.ts";
import { createPresence, type Presence } from "./presence.ts";
import { untilReady } from "./readiness.ts";
import { LocalLedger } from "./reconcile/local-ledger.ts";
import { createReconciliation } from "./reconcile/reconciliation.ts";
import { createRefusalMemory } from "./refusal-memory/refusal-memory.ts";
import { createSlowness } from "./slowness.ts";
import type { StoreStatus } from "./status.ts";
import { createStoreCalls } from "./store-calls.ts";
import { createStoreQuestions } from "./store-questions.ts";
import { createTelling } from "./telling.ts";
import { createTurns } from "./turns.ts";
import { createWithoutStore, type WithoutStore } from "./without-store.ts";

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
  /** Gives back what this ruling charged, or may have charged if it is `doubtful`: the request has been decided without it. */
  readonly takeBack: (ruling: Ruling) => void;
  /** How the store would refuse these charges, if a block is known: a block must not end because the store is down. */
  readonly findBlock: (charges: readonly Charge[], now: number) => Outcome | undefined;
  /** What is known about an id that a request of this process is answering. */
  readonly findClaim: (claim: Claim) => KnownClaim | undefined;
  /** The same, but only for an id that the store does not know yet. */
  readonly findUnsentClaim: (claim: Claim) => KnownClaim | undefined;
  /** Called once the store has been reached for the first time, and whenever it is tried. Never rejects. */
  readonly onContact?: () => Promise<void>;
  /** Called when a question is sent to the store: other questions of the same turn may be sent with it. */
  readonly onAsked?: (question: Question) => void;
  /**
   * From 0 up to 1, drawn again for each probe, so that many processes do not probe together. Default `Math.random`.
   */
  readonly random?: () => number;
}

/** A store that always answers in time: with its own answer, a recent refusal, or a decision of the outage policies. */
export interface GuardedStore {
  decide(question: Question, peek: boolean): Ruling | Promise<Ruling>;
  /**
   * Returns rulings that charge nothing, for reservations that are charged later by adjustments. Makes no call.
   *
   * @param question one that costs nothing.
   */
  open(question: Question): Ruling[];
  /** Rejects if the store cannot be called: nothing is kept, and the caller of `reset` gets the error. */
  reset(partitions: readonly { space: string; key: string; limits: LimitSet }[]): Promise<void>;
  /**
   * Puts an override into force, or ends it. Rejects if the store cannot be called.
   *
   * @param apply the store's own, at this time.
   */
  override(
    partitions: readonly { space: string; key: string }[],
    apply: (now: number) => void | Promise<void>,
  ): Promise<void>;
  /** Makes another call to the store, within the time limit. Rejects if the store cannot be called. */
  call<Answer>(call: () => Answer | Promise<Answer>): Promise<Answer>;
  /** Resolves once the store has been reached, or the wait for it is over; `undefined` if that is already the case. */
  contact(question: Question): Promise<void> | undefined;
  status(): StoreStatus;
  /**
   * Resolves once the store decides; see `untilReady`.
   *
   * @param question what to ask the store without charging it, besides its own `check`.
   * @throws HeadgateError `store-unavailable` or `limiter-closed`
   */
  ready(longestMs: number, question: Question): Promise<void>;
  /**
   * Waits for the changes under way, sends the waiting ones to the store, if it answers, and ends the timer. Changes that
   * could not be sent are lost and reported.
   */
  stop(): Promise<void>;
}

/** After this many failures in a row, the breaker opens. */
export const failuresToOpen = 5;
/** While the breaker is open, the store is probed at this interval, ms, ± 20%. */
export const probeEveryMs = 1000;
/** How many partitions, leases and handles may wait to be sent to the store. */
export const mostWaiting = 10_000;

export function guardStore(options: GuardedStoreOptions): GuardedStore {
  const { store, clock, timeoutMs } = options;
  const shared: Shared = { lastAsked: undefined, presence: createPresence(store, options.limiter) };
  const askWithoutCharge = createProbe(options, shared);
  const contact = createFirstContact(store, options.connectMs, ({ charges }) => askWithoutCharge(charges));
  const changes = createChanges(options, shared, askWithoutCharge);
  const { breaker, refusals, calls, reconciliation, local } = changes;
  const { decide, withoutStore } = createDeciding(options, shared, changes, contact);
  let stopped = false;

  return {
    decide,
    open: (question) => openWithout(withoutStore, question, options, changes),

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

    call: (call) => calls.bounded(call),
    contact: (question) => contact.wait(question),
    status: () => statusOf(store, shared.presence, changes),

    async ready(longestMs, question) {
      // A probe before the first decision asks this question too: a store without `check` would otherwise not be asked at all.
      shared.lastAsked ??= question;
      const ask = () => askWithoutCharge(question.charges);
      const { probed } = reconciliation;
      const isClosed = () => stopped;
      await untilReady({ store, breaker, calls, timeoutMs, ask, probed, isClosed }, longestMs);
      contact.end();
    },

    async stop() {
      stopped = true;
      contact.end();
      // The store may be closed next: a change that has not been sent by then is lost.
      await calls.settled();
      await reconciliation.stop();
      reportLost(reconciliation.waiting, options);
    },
  };
}

/** What the parts of a guarded store share. */
interface Shared {
  /** The last question that was sent to the store. A probe asks it again. */
  lastAsked: Question | undefined;
  readonly presence: Presence;
}

type AskWithoutCharge = (charges: readonly Charge[]) => Promise<void>;

/**
 * First runs the store's own check, which knows best what is wrong. Then sends a question the whole way that a decision
 * takes: the first such question is slow too, and a store without `check` would otherwise not be asked at all.
 */
function createProbe(
  { store, clock, onContact }: GuardedStoreOptions,
  { presence }: Shared,
): AskWithoutCharge {
  return async (charges) => {
    await store.check?.();
    presence.note(clock.now());
    await onContact?.();
    if (charges.length > 0) await store.decide(charges, clock.now(), true);
  };
}

type Changes = ReturnType<typeof createChanges>;

/** Creates what calls the store, and what keeps the changes that it does not have yet. */
function createChanges(options: GuardedStoreOptions, shared: Shared, askWithoutCharge: AskWithoutCharge) {
  const { store, clock, timeoutMs, report } = options;
  const refusals = createRefusalMemory();
  const breaker = createBreaker({
    store: store.name,
    clock,
    failuresToOpen,
    probeEveryMs,
    random: options.random ?? Math.random,
    onTransition: options.onOutage,
  });
  const slowness = createSlowness(clock, options.connectMs);
  const calls = createStoreCalls({
    store,
    breaker,
    slowness,
    timeoutMs,
    report,
    onFailure: () => reconciliation.wakeLater(),
  });
  const { counters } = calls;

  const reconciliation = createReconciliation({
    breaker,
    clock,
    retryEveryMs: probeEveryMs,
    most: mostWaiting,
    async probe() {
      const { charges } = shared.lastAsked ?? { charges: [] };
      await calls.bounded(() => askWithoutCharge(charges));
    },
    onProbe() {
      counters.probes += 1;
    },
    onDropped() {
      counters.dropped += 1;
      if (counters.dropped > 1) return;
      report(
        new Error(
          `More than ${mostWaiting} changes wait for the store "${store.name}": the oldest are dropped.`,
        ),
      );
    },
  });

  const ledger = createTelling(store.name, timeoutMs, calls, refusals, reconciliation);

  const local = new LocalLedger({
    store: ledger,
    now: () => clock.now(),
    onCharged() {
      counters.reconciled += 1;
    },
    most: mostWaiting,
  });
  return { refusals, breaker, slowness, calls, reconciliation, ledger, local };
}

/** Creates what decides: by the store, by what this process remembers of it, or by the outage policies. */
function createDeciding(
  options: GuardedStoreOptions,
  shared: Shared,
  { refusals, breaker, slowness, calls, reconciliation, ledger, local }: Changes,
  contact: FirstContact,
) {
  const { store, clock, policyOf, report, findBlock, findClaim, findUnsentClaim } = options;
  const { presence } = shared;
  const line = createLine(options.timeoutMs, calls.attended);
  const withoutStore = createWithoutStore({
    clock,
    breaker,
    slowness,
    pace: createPace(mostWaiting),
    presence,
    refusals,
    counters: calls.counters,
    ledger,
    local,
    policyOf,
    report,
    findBlock,
    findClaim,
    findUnsentClaim,
  });
  const ask = createStoreQuestions({
    store,
    clock,
    calls,
    line,
    refusals,
    ledger,
    takeBack: options.takeBack,
    onAsk(question, now) {
      shared.lastAsked = question;
      presence.note(now);
    },
    onAsked: options.onAsked,
    onAnswer: reconciliation.tellIfDue,
    withoutStore: withoutStore.decide,
  });
  const decide = createTurns({
    clock,
    breaker,
    contact,
    refusals,
    line,
    ledger,
    withoutStore,
    ask,
    onProbe: reconciliation.probed,
  });
  return { decide, withoutStore };
}

function openWithout(
  withoutStore: WithoutStore,
  question: Question,
  { clock, policyOf }: GuardedStoreOptions,
  { breaker, ledger }: Changes,
): Ruling[] {
  const now = clock.now();
  if (breaker.state === "closed") return [unasked(question, ledger, now)];
  // Layers that refuse without the store do not count in this process either: the store gets the change when it is back.
  const places = [...question.layers.keys()].filter(
    (place) => policyOf(question.layers[place] as string).policy === "refuse",
  );
  return [
    withoutStore.byPolicies(question, true),
    { ...unasked(partOf(question, places), ledger, now), places },
  ];
}

function statusOf(
  { name, remote }: Store,
  { processes }: Presence,
  { breaker, calls, reconciliation }: Changes,
): StoreStatus {
  const { state, since, failures, reason, nextProbeAt } = breaker;
  const { waiting } = reconciliation;
  return {
    store: name,
    remote,
    state,
    since,
    failures,
    reason,
    nextProbeAt,
    waiting,
    processes,
    counters: { ...calls.counters },
  };
}

function reportLost(waiting: number, { store, report }: GuardedStoreOptions): void {
  if (waiting === 0) return;
  const changes = waiting === 1 ? "1 change" : `${waiting} changes`;
  report(
    new Error(
      `${changes} could not be sent to the store "${store.name}" before the limiter closed, and are lost.`,
    ),
  );
}
