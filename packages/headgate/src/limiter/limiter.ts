import type { Admission, Peek } from "../core/admission.ts";
import { type Clock, monotonic } from "../core/clock.ts";
import { type Cost, checkCost } from "../core/cost.ts";
import { Decision, RefusedRequest } from "../core/decision.ts";
import { HeadgateError } from "../core/errors.ts";
import { type ForAdapters, forAdapters } from "../core/for-adapters.ts";
import type { LimitSet } from "../core/limit-set.ts";
import {
  type ChangedEvent,
  type DecisionPartition,
  type DecisionPlace,
  type EventPartition,
  type ExtendedEvent,
  limitsAsText,
  type Moment,
  placeOfDecision,
  type SettledEvent,
  usedIn,
} from "../core/limiter-events.ts";
import { isName, nameGrammar } from "../core/name.ts";
import { checkOptions, othersOptions } from "../core/options.ts";
import { checkOutcome } from "../core/outcome.ts";
import { beginOverride, type OverrideTerms } from "../core/override.ts";
import { knownLimits, type LayerOptions, type Policy } from "../core/policy.ts";
import { free, partOf, type Question, type Ruling, unasked } from "../core/ruling.ts";
import { show } from "../core/show.ts";
import type { Outcome, Store } from "../core/store.ts";
import type { Declared, UnitsOfLayers } from "../core/units.ts";
import { checkWholeNumber } from "../core/whole-number.ts";
import { createOverriding } from "../overriding/deciding.ts";
import { createKnownOverrides } from "../overriding/known-overrides.ts";
import {
  type BlockOptions,
  checkTarget,
  type OverrideOptions,
  type OverrideTarget,
  placeOf,
  readBlock,
  readOverride,
  targetOf,
} from "../overriding/terms.ts";
import {
  decideByPolicies,
  guardStore,
  LocalLedger,
  type OutageEvent,
  type StoreStatus,
} from "../remote/index.ts";
import type { ReservationServices } from "../reservation/book.ts";
import { createHeartbeat } from "../reservation/heartbeat.ts";
import { Reservation } from "../reservation/reservation.ts";
import { mintRid } from "../reservation/rid.ts";
import type { ShadowReport } from "../shadow/report.ts";
import { createShadow, type Shadow, type ShadowEvent } from "../shadow/shadow.ts";
import { ShadowedReservation } from "../shadow/shadowed-reservation.ts";
import type { Trial } from "../shadow/trial.ts";
import { MemoryOutcome } from "../stores/memory/outcome.ts";
import { openStore } from "../stores/open.ts";
import { systemClock } from "./clock.ts";
import { registerLimiter } from "./live-limiters.ts";
import { createLivePolicy, type LayerChange } from "./live-policy.ts";
import { createLookups } from "./lookups.ts";
import { checkPenalty } from "./penalising.ts";
import {
  eachKindOnce,
  guarded,
  outagesOnConsole,
  reportOnConsole,
  told,
  warnOnConsole,
} from "./reporting.ts";
import { createWaitingRoom, type WaitOptions } from "./waiting.ts";

/** In milliseconds. */
export interface Timeouts {
  /**
   * How long the first decisions of a process wait for a store that has never answered, connections that are refused
   * included: from 0 to 60,000; 5,000 by default. Afterwards the outage policies decide.
   */
  connectMs?: number;
  /**
   * How long a shared store may take to answer a call: from 1 to 60,000; 250 by default. Beyond it the outage policies of
   * the layers decide, and what the late answer charged is taken back.
   */
  storeMs?: number;
  /**
   * How long the `plan` of a layer may take to look a caller up: from 1 to 60,000; 250 by default. Beyond it the layer's
   * default plan holds.
   */
  lookupMs?: number;
}

export interface LimiterOptions<Caller> {
  /**
   * What it guards: lower-case letters, digits, `.`, `_` and `-`. It keeps this limiter's counts apart from those of
   * others, on every store: limiters that use one name in one store share their counts.
   */
  name: string;
  /** The layers that guard the endpoint. A request is charged in all that apply to it, or in none. */
  layers: readonly LayerOptions<Caller>[];
  /** Units that costs may name although no limit counts them, such as those that a later policy will count. */
  units?: readonly string[];
  /** A store URI or a store; `memory://` by default: this process counts for itself. */
  store?: string | Store;
  /** How long a shared store is waited for. */
  timeouts?: Timeouts;
  /** Default: the wall clock. It may run backwards; the limiter does not. */
  clock?: Clock;
  /** Called after every decision of `admit`, for logs and metrics. What it throws goes to `onError`. */
  onDecision?: (event: DecisionEvent) => void;
  /**
   * Called when something of the limiter's own fails: a store that cannot answer, a plan that cannot be looked up (the first
   * of several failures in a row), a key function that throws or returns what is no key (once for each kind). The request is
   * decided all the same. Default: a line on the console, at most one a minute for each kind.
   */
  onError?: (error: unknown) => void;
  /**
   * Called when a shared store is left alone because it does not answer, when it is tried, and when it decides again.
   * Default: a line on the console when an outage begins and when it ends.
   */
  onOutage?: (event: OutageEvent) => void;
  /**
   * Called for each thing in the policy that is probably a mistake, when the limiter is made; and once, when a request comes to
   * which no layer applies. Default: the console.
   */
  onWarning?: (warning: string) => void;
}

export interface DecisionOptions<Unit extends string = string> {
  /** What the request costs, by unit; one request by default. */
  cost?: Cost<Unit>;
}

export interface PeekOptions<Unit extends string = string> extends DecisionOptions<Unit> {
  /** Only what this layer says. */
  layer?: string;
}

/** One decision of `admit`. */
export interface DecisionEvent extends DecisionPlace {
  /** The name of the limiter that decided. */
  readonly limiter: string;
  /** When, by the limiter's clock: milliseconds since 1970-01-01T00:00Z. */
  readonly at: number;
  readonly admission: Admission;
  /** How long it took, the store's answer included: milliseconds, by the process's own clock. */
  readonly durationMs: number;
  readonly cost: Cost | undefined;
  /** The partitions that were asked, layer by layer. They name callers: treat them as personal. */
  readonly partitions: readonly DecisionPartition[];
}

/** How a limiter stands in this process. */
export interface LimiterStatus extends StoreStatus {
  /** Admitted requests of this process that hold units or places, and have not ended. */
  readonly reservations: number;
}

/** A reservation that has ended. */
export interface EndEvent {
  /** The name of the limiter that admitted it. */
  readonly limiter: string;
  /** When, by the limiter's clock: milliseconds since 1970-01-01T00:00Z. */
  readonly at: number;
  /** What was used, by unit. */
  readonly used: Cost;
  /** What it might have used in all before it would have had to be extended. */
  readonly granted: Cost;
  /** The hash of the policy that admitted it. */
  readonly policy: string;
}

/** Who listens to a limiter, for logs and metrics. What it throws goes to `onError`. */
export interface LimiterObserver {
  /** Called after every decision of `admit`. */
  decided?(event: DecisionEvent): void;
  /** Called once a reservation has ended. */
  ended?(event: EndEvent): void;
  /** Called once the store knows what a reservation has used so far, or that it ended. Where nothing changes by that, it is not told. */
  settled?(event: SettledEvent): void;
  /** Called after every extension that was asked for. */
  extended?(event: ExtendedEvent): void;
  /** Called when this process has changed the policy, or overridden, reset or penalised a caller. */
  changed?(event: ChangedEvent): void;
  /** Called after every decision of the shadow, where `setShadow` has set one. */
  shadowed?(event: ShadowEvent): void;
}

/** Decides who may pass. Made by `createLimiter`. */
export interface Limiter<Caller, Unit extends string = string> {
  readonly name: string;
  /** The policy in force: see `setPolicy`. */
  readonly policy: Policy<Caller>;
  /**
   * Decides one request, and charges it if it is admitted. Over a store that answers at once (memory) the answer
   * comes without a promise, unless a plan is looked up; `await` takes either.
   *
   * @throws HeadgateError `cost-invalid`, or `limiter-closed`. Nothing else: see `onError`.
   */
  admit(caller: Caller, options?: DecisionOptions<Unit>): Admission<Unit> | Promise<Admission<Unit>>;
  /**
   * Admits a request as soon as it may pass, in a fair queue: within the same partitions, first come first served; between
   * others, in turn by units. For jobs and for calls to others, where nobody sits before a screen; a server should refuse
   * instead. Each asking is a decision event of its own. At most 1,000 wait at once.
   *
   * @param options the cost, `maxWaitMs` (60,000 by default) and a `signal` that ends the waiting.
   * @returns the admission; the refusal, at once, where its wait is longer than what is left of `maxWaitMs`, or where
   *   no wait helps. Whoever still stands behind others after `maxWaitMs` is asked for a last time.
   * @throws HeadgateError `cost-invalid`, `option-invalid`, `queue-full` or `limiter-closed`; the signal's reason once it
   *   is aborted. Always as a rejection.
   */
  wait(caller: Caller, options?: DecisionOptions<Unit> & WaitOptions): Promise<Admission<Unit>>;
  /**
   * Charges a caller on top, whatever is free and even into debt, in every layer that applies: for what turned out to
   * be worse than a request, such as a wrong password. No request is admitted by it, and it is no decision event.
   *
   * While the store cannot answer, it is charged here by the outage policy `local`, and told to the store afterwards.
   *
   * @param cost by unit; a unit that is not named is not charged. One request by default.
   * @throws HeadgateError `cost-invalid`, or `limiter-closed`. A store that cannot be reached is reported, not thrown.
   */
  penalise(caller: Caller, cost?: Cost<Unit>): void | Promise<void>;
  /** What `admit` would answer now; with `layer`, what that layer alone would. Charges nothing, and is no decision event. */
  peek(caller: Caller, options?: PeekOptions<Unit>): Peek | Promise<Peek>;
  /**
   * Gives a caller the whole quota back: in every layer that applies, also in those that the caller shares with others, or with
   * `layer` in that one alone. Rejects with the reason where a shared store cannot be reached: then it has not been done.
   *
   * @throws HeadgateError `option-invalid` for a layer that does not apply; `limiter-closed`.
   */
  reset(caller: Caller, options?: OverrideTarget): void | Promise<void>;
  /**
   * Refuses a caller from the next call to the store on, in every process, whatever is free: for `forMs`, until `until`, or for good. Nothing is
   * charged meanwhile, in any layer. It replaces the block or override before it, and `reset` leaves it.
   *
   * One layer is blocked, the first that applies to the caller unless `layer` names another: everybody who shares the caller's key
   * there is refused.
   *
   * @throws HeadgateError `option-invalid`; `store-invalid` where the store keeps no overrides; `store-full` beyond 100,000 in
   *   memory; `limiter-closed`. Rejects with the reason where a shared store cannot be reached: then it may not have been done.
   */
  block(caller: Caller, options?: BlockOptions): void | Promise<void>;
  /** The same as `endOverride`. */
  unblock(caller: Caller, options?: OverrideTarget): void | Promise<void>;
  /**
   * Gives a caller other limits from the next call to the store on, in every process: for `forMs`, until `until`, or until
   * `endOverride`. They take the place of the caller's own, also of a plan that is `blocked`, in the units that they name. Nothing is
   * forgotten, on the way there or back: what was spent counts under both. It replaces the block or override before it, and
   * `reset` leaves it.
   *
   * One layer is overridden, as `block` chooses it. Admissions name what is in force in `overrides`.
   *
   * @throws HeadgateError `limit-unreadable` or `limit-invalid` for the limits; else as `block`.
   */
  override(caller: Caller, options: OverrideOptions): void | Promise<void>;
  /**
   * Ends what `block` or `override` decided for a caller in one layer, as `block` chooses it: the caller's own limits hold again.
   * Another process that has just refused the caller may do so for a second more.
   *
   * @throws HeadgateError as `block`.
   */
  endOverride(caller: Caller, options?: OverrideTarget): void | Promise<void>;
  /**
   * Puts another policy into force, for whatever is asked from now on in this process. Nothing is forgotten: what was spent counts under
   * the new limits as if they had always held, and what is held stays held. A bad policy changes nothing.
   *
   * ```ts
   * limiter.setPolicy([{ name: "user", limits: "10/minute; 60/hour" }, { name: "ip", limits: "30/minute" }]);
   * ```
   *
   * @param layers all of them, in order. `key`, `plan` and `limits` as a function may be left out where the layer of that name has
   *   them already, so that the rest can come from a file. A layer that is not named applies no longer. Units that earlier policies
   *   counted may still be named by costs.
   * @throws HeadgateError for a policy that cannot be used, naming layer and value; `limiter-closed`.
   */
  setPolicy(layers: readonly LayerChange<Caller>[]): void;
  /**
   * Lets another policy decide each request beside the one in force, on counts of its own. It refuses nobody: what it would have
   * refused is in `shadowReport`, and observers hear of each of its decisions (`shadowed`). No live answer depends on it, or waits for it.
   *
   * ```ts
   * limiter.setShadow([{ name: "user", limits: "3/minute; 40/hour" }, { name: "ip", limits: "30/minute" }]);
   * ```
   *
   * One that is set already is replaced; its report begins anew, and what it counted counts under the new one. A bad policy changes nothing.
   *
   * @param layers as `setPolicy` takes them: what is left out is taken from the policy in force.
   * @throws HeadgateError for a policy that cannot be used, naming layer and value; `limiter-closed`.
   */
  setShadow(layers: readonly LayerChange<Caller>[]): void;
  /** Ends the shadow. @returns its last report; `undefined` where none is set. */
  endShadow(): ShadowReport | undefined;
  /** What the shadow has decided in this process since it was set; `undefined` where none is. */
  shadowReport(): ShadowReport | undefined;
  /**
   * Resolves once a shared store decides: it has answered within `timeouts.storeMs`, after however long it took to
   * connect. The first decisions wait for that by themselves, for `timeouts.connectMs`; await it to begin to listen only then. It may be
   * called again, and at any time. A store of this process is always ready.
   *
   * @param options.timeoutMs how long to wait, in milliseconds from 1 to 3,600,000; 10,000 by default. Meanwhile, and
   *   afterwards, the limiter decides all the same.
   * @throws HeadgateError `store-unavailable` with the last reason, once that is over (for operators: it may name
   *   hosts); `limiter-closed`; `option-invalid`. Always as a rejection.
   */
  ready(options?: { timeoutMs?: number }): Promise<void>;
  /**
   * Tells an observer of decisions and ends from now on. `headgate/otel` makes metrics of them.
   *
   * @returns what ends it.
   */
  observe(observer: LimiterObserver): () => void;
  /** How the store is, as this process sees it: for readiness and metrics. */
  status(): LimiterStatus;
  /**
   * Closes a store that was opened from a URI. The limiter is not used afterwards. What a store that is down has not
   * been told by then stays untold, and `onError` hears of it.
   */
  close(): void | Promise<void>;
}

/**
 * Makes a limiter from a policy and a store.
 *
 * ```ts
 * const chat = createLimiter({
 *   name: "chat",
 *   layers: [
 *     {
 *       name: "user",
 *       key: (caller: Caller) => (caller.user ? `user:${caller.user}` : `ip:${caller.ip}`),
 *       limits: "5/minute; 60/hour",
 *     },
 *     { name: "ip", key: (caller: Caller) => caller.ip, limits: "30/minute" },
 *   ],
 * });
 * const admission = await chat.admit({ user: "42", ip: "203.0.113.7" });
 * ```
 *
 * Costs may name the units that the limits count: `"100000 tokens/day"` makes it `cost: { tokens: 900 }`. They are typed where
 * limits are literal texts and no type argument is given; others are checked at run time.
 *
 * @throws HeadgateError for a name, a policy, a limit or a store URI that cannot be used, naming it.
 */
export function createLimiter<
  Caller,
  const Layers extends readonly object[] = readonly LayerOptions<Caller>[],
  const Units extends string = string,
>(
  options: LimiterOptions<Caller> & {
    layers: readonly LayerOptions<Caller>[] & Layers;
    units?: readonly Units[];
  },
): Limiter<Caller, UnitsOfLayers<Layers> | Declared<Units>> {
  return makeLimiter(options);
}

function makeLimiter<Caller>(options: LimiterOptions<Caller>): Limiter<Caller> {
  checkLimiterOptions(options);
  const { name, onDecision } = options;
  const observers = new Set<LimiterObserver>();
  if (onDecision !== undefined) observers.add({ decided: onDecision });
  const opened = typeof options.store === "object" ? undefined : openStore(options.store ?? "memory://");
  const store = opened ?? (options.store as Store);
  const report = guarded(options.onError ?? reportOnConsole());
  const reportMistake = eachKindOnce(report);
  const clock = monotonic(options.clock === undefined ? systemClock : checkClock(options.clock), (told) =>
    reportMistake(
      new HeadgateError(
        "option-invalid",
        `The clock must tell milliseconds since 1970; it told ${told instanceof Error ? told.message : show(told)}. Until it does, time stands still.`,
      ),
    ),
  );
  const warn = options.onWarning ?? warnOnConsole;
  const {
    connectMs = usualConnectMs,
    storeMs = usualStoreMs,
    lookupMs = usualLookupMs,
  } = options.timeouts ?? {};
  checkWholeNumber("timeouts.connectMs", connectMs, 0, longestTimeoutMs);
  checkWholeNumber("timeouts.storeMs", storeMs, 1, longestTimeoutMs);
  checkWholeNumber("timeouts.lookupMs", lookupMs, 1, longestTimeoutMs);
  const onOutage = options.onOutage ?? outagesOnConsole();
  const madeAt = clock.now();
  let hasWarned = false;
  const asks = () => ({
    lookups: createLookups({ clock, lookupMs, report, reportMistake }),
    report: reportMistake,
  });
  const live = createLivePolicy(options.layers, options.units, {
    ...asks(),
    name,
    onUncounted() {
      if (hasWarned) return;
      hasWarned = true;
      told(
        warn,
        `No layer of the limiter "${name}" applies to a request: every key is null, and it is not counted.`,
        report,
      );
    },
  });
  for (const warning of live.policy.warnings) warn(warning);
  const known = createKnownOverrides(mostKnownOverrides);
  const guard = store.remote
    ? guardStore({
        store,
        limiter: name,
        clock,
        timeoutMs: storeMs,
        connectMs,
        policyOf: live.outageOf,
        report,
        onOutage: (event) => told(onOutage, event, report),
        findBlock: (charges, now) => known.findBlock(charges, now),
        onAsked: (question) => shadow?.ride(question),
        takeBack(ruling) {
          // Of an extension the reservation itself states the totals.
          if (ruling.hold === undefined || ruling.hold.seq === 1)
            void new Reservation(ruling, ruling, undefined, unannounced).end("nothing");
        },
      })
    : undefined;

  function notify<Kind extends keyof Listeners>(kind: Kind, event: Parameters<Listeners[Kind]>[0]): void {
    for (const observer of observers) told(observer[kind] as (heard: typeof event) => void, event, report);
  }

  /** The store's time, as it was last read: after all that this process knows of. */
  function storeNow(): number {
    return store.remote ? clock.now() + storeAheadMs + 1 : clock.now();
  }

  function notifyChange(change: Change, at = storeNow()): void {
    if (observers.size > 0) notify("changed", { limiter: name, order: undefined, at, ...change });
  }

  /** The decisions that somebody observed, by the question that a reservation keeps. */
  const ids = new WeakMap<Question, number>();
  let lastId = 0;
  /** By how much the store's clock is ahead of this process's, at least. */
  let storeAheadMs = 0;
  /** What decides beside the policy in force. */
  let shadow: Shadow<Caller> | undefined;
  /** Counts where a store of this process fails all the same. Made when it is first needed. */
  let alone: LocalLedger | undefined;
  let closed = false;
  const heartbeat = createHeartbeat(clock.now, report);
  /** For what is charged or given back without having been admitted: nobody is told of its end. */
  const unannounced: ReservationServices = {
    now: clock.now,
    report,
    units: live.units,
    decide: (question) => overriding.extend(question),
    holds: heartbeat.add,
    released(book) {
      heartbeat.remove(book);
      // Once the store has been told.
      queueMicrotask(() => waitingRoom.freed());
    },
    mintRid,
  };
  const services: ReservationServices = {
    ...unannounced,
    released(book) {
      unannounced.released(book);
      if (observers.size === 0) return;
      const { used, granted, question } = book;
      notify("ended", { limiter: name, at: clock.now(), used, granted, policy: question.policy ?? "" });
    },
    settled(book, adjustments, { now: at, order }) {
      const decision = ids.get(book.question);
      if (decision === undefined || observers.size === 0) return;
      const used = { ...book.stated, ...usedIn(adjustments) };
      const ended = adjustments[0]?.ended === true;
      notify("settled", { limiter: name, at, order, decision, used, ended });
    },
    settledUntold(book) {
      const decision = ids.get(book.question);
      if (decision === undefined || observers.size === 0) return;
      const used = { ...book.stated, ...book.used };
      notify("settled", { limiter: name, at: storeNow(), order: undefined, decision, used, ended: true });
    },
    extended(book, cost, { outcome, decidedBy }) {
      const decision = ids.get(book.question);
      if (decision === undefined || observers.size === 0) return;
      const { now: at, admitted } = outcome;
      const { order, asOf } = placeOfDecision(decision, outcome);
      notify("extended", { limiter: name, at, order, asOf, decision, cost, admitted, decidedBy });
    },
  };
  const waitingRoom = createWaitingRoom(clock);
  const overriding = createOverriding({
    known,
    storeOverrides: store.override !== undefined,
    isRemote: store.remote,
    ledger: store,
    memoryOf: live.memoryOf,
    mintRid,
    now: clock.now,
    report: reportMistake,
    ask,
  });

  /** @param began when the caller asked, by `performance`; only where somebody observes. */
  function conclude(
    own: Question,
    cost: Cost | undefined,
    ruling: Ruling,
    began: number,
    trial: Trial | undefined,
  ): Admission {
    const question = ruling.asked ?? own;
    const counted = ruling.outcome.admitted ? countedOf(question, ruling) : undefined;
    const admission =
      counted === undefined
        ? new RefusedRequest(ruling, cost, question)
        : trial === undefined
          ? new Reservation(ruling, counted, cost, services, question)
          : new ShadowedReservation(ruling, counted, cost, services, question, trial);
    if (observers.size > 0) {
      const durationMs = began === unobserved ? 0 : performance.now() - began;
      const { layers, charges } = own;
      const partitions = charges.map(({ key, limits }, c) => {
        const layer = layers[c] as string;
        const isLookedUp = limits.plan === undefined && live.isLookedUp(layer);
        return { layer, key, plan: limits.plan, limits: isLookedUp ? limitsAsText(limits) : undefined };
      });
      lastId += 1;
      if (counted !== undefined) ids.set(counted, lastId);
      if (ruling.decidedBy === "store") storeAheadMs = ruling.outcome.now - clock.now();
      const place = placeOfDecision(lastId, ruling.outcome);
      notify("decided", {
        ...place,
        limiter: name,
        at: admission.at,
        admission,
        durationMs,
        cost,
        partitions,
      });
    }
    trial?.answered(admission);
    return admission;
  }

  /** Asks the store, or whoever decides in its place. */
  function ask(question: Question, peek: boolean): Ruling | Promise<Ruling> {
    return guard === undefined ? decideHere(question, peek) : guard.decide(question, peek);
  }

  /** Without a guard: a store of this process answers at once, and needs none. */
  function decideHere(question: Question, peek: boolean): Ruling | Promise<Ruling> {
    const { layers, charges, hold } = question;
    const now = clock.now();
    let outcome: Outcome | Promise<Outcome>;
    try {
      outcome = store.decide(charges, now, peek, hold);
      if (!(outcome instanceof Promise) && opened === undefined && !MemoryOutcome.isTo(charges, outcome))
        checkOutcome(store.name, charges, outcome);
    } catch (error) {
      return decideAlone(question, peek, now, error);
    }
    if (outcome instanceof Promise) return decideLater(question, peek, now, outcome);
    return { layers, charges, hold, outcome, ledger: store, decidedBy: "store" };
  }

  async function decideLater(
    question: Question,
    peek: boolean,
    now: number,
    answer: Promise<Outcome>,
  ): Promise<Ruling> {
    try {
      const outcome = checkOutcome(store.name, question.charges, await answer);
      return { ...question, outcome, ledger: store, decidedBy: "store" };
    } catch (error) {
      return decideAlone(question, peek, now, error);
    }
  }

  function decideAlone(question: Question, peek: boolean, now: number, error: unknown): Ruling {
    report(error);
    alone ??= new LocalLedger(undefined);
    return decideByPolicies(question, live.outageOf, alone, 1, now, peek, 1000);
  }

  function check(cost: Cost | undefined): void {
    if (closed)
      throw new HeadgateError("limiter-closed", "This limiter has been closed and decides nothing more.");
    checkCost(cost, live.units);
  }

  function admit(
    question: Question,
    cost: Cost | undefined,
    trial: Trial | undefined,
  ): Admission | Promise<Admission> {
    const began = observers.size > 0 ? performance.now() : unobserved;
    const ruling = overriding.decide(question, cost, false);
    if (ruling instanceof Promise)
      return ruling.then((known) => conclude(question, cost, known, began, trial));
    return conclude(question, cost, ruling, began, trial);
  }

  function override(
    caller: Caller,
    target: OverrideTarget,
    terms: OverrideTerms | undefined,
  ): void | Promise<void> {
    if (store.override === undefined) {
      throw new HeadgateError(
        "store-invalid",
        `The store "${store.name}" keeps no blocks or overrides: it has no override(). See docs/writing-a-store.md.`,
      );
    }
    const { override: overrideIn } = store;
    return after(live.asking.for(caller, undefined), (question) => {
      const { charge, layer } = targetOf(question, target);
      if (terms !== undefined) checkTerms(layer, charge.limits, terms);
      const partitions = [charge];
      const apply = (now: number) => overrideIn.call(store, partitions, terms, now);
      const applying = guard === undefined ? apply(clock.now()) : guard.override(partitions, apply);
      // Only then: where the store was not told, what it keeps is still in force.
      return after(applying, () => {
        known.forget(partitions);
        if (terms !== undefined) known.begin(partitions, terms, clock.now());
        waitingRoom.changed();
        notifyOverride({ layer, key: charge.key }, terms);
      });
    });
  }

  function notifyOverride(partition: EventPartition, terms: OverrideTerms | undefined): void {
    if (observers.size === 0) return;
    const at = storeNow();
    const begun = terms === undefined ? undefined : beginOverride(terms, at);
    notifyChange({ kind: "override", partition, limits: begun?.limits, until: begun?.until }, at);
  }

  /** @throws HeadgateError where the limits cannot take the place of those that the layer has. */
  function checkTerms(layer: string, own: LimitSet, { limits }: OverrideTerms): void {
    const found = live.policy.layers.find(({ name }) => name === layer);
    const others = found === undefined ? [] : knownLimits(found).filter(({ word }) => word !== "blocked");
    for (const one of new Set([own, ...others])) overriding.check(layer, one, limits);
  }

  /** Charges on top of what is admitted. */
  function charge(asked: Question, cost: Cost): void | Promise<void> {
    // What it costs is charged afterwards, as it is when a request is settled.
    const question = free(asked);
    const rulings = guard === undefined ? [unasked(question, store, clock.now())] : guard.open(question);
    const charging = rulings.map((ruling) => {
      const counted = countedOf(question, ruling);
      const penalty = new Reservation(ruling, counted, undefined, {
        ...unannounced,
        settled(_book, _adjustments, { now, order }) {
          const partitions = partitionsOf(counted);
          if (observers.size > 0)
            notify("changed", { limiter: name, kind: "penalty", at: now, order, partitions, cost });
        },
      });
      return penalty.end(cost);
    });
    if (charging.some((one) => one !== undefined)) return Promise.all(charging).then(() => {});
  }

  /** The same partitions under the overrides in force. Asked for only where an override may count what the plans do not. */
  function knowing(own: Question, cost: Cost): Question | Promise<Question> {
    const asked = overriding.underKnown(own);
    const counted = new Set(asked.charges.flatMap(({ limits }) => limits.groups.map(({ unit }) => unit)));
    if (store.override === undefined || Object.keys(cost).every((unit) => counted.has(unit))) return asked;
    return after(overriding.decide(own, undefined, true), (ruling) => ruling.asked ?? own);
  }

  function admitCaller(
    caller: Caller,
    cost: Cost | undefined,
    trialOf?: (question: Question) => Trial,
  ): Admission | Promise<Admission> {
    check(cost);
    return after(live.asking.for(caller, cost), (question) =>
      admit(
        question,
        cost,
        trialOf === undefined ? shadow?.begin(question, caller, cost) : trialOf(question),
      ),
    );
  }

  function makeShadow(layers: readonly LayerChange<Caller>[]): Shadow<Caller> {
    return createShadow(
      {
        limiter: name,
        live,
        store,
        clock,
        timeoutMs: storeMs,
        definePolicy: (of, given) =>
          createLivePolicy(given, options.units, { ...asks(), name: of, onUncounted() {} }),
        isAnswering: () => guard?.status().state === "closed",
        report: reportMistake,
        isObserved: () => [...observers].some(({ shadowed }) => shadowed !== undefined),
        tell(event) {
          for (const observer of observers) told(observer.shadowed, event, report);
        },
      },
      layers,
    );
  }

  const room: ForAdapters = {
    report,
    admitUnidentified() {
      check(undefined);
      const question = live.asking.forUnidentified(undefined);
      return admit(question, undefined, shadow?.beginUnidentified(question, undefined));
    },
  };
  const shared = opened === undefined || opened.remote ? options.store : undefined;
  let unregister = registerLimiter({ name, layers: live.policy.layers }, shared, warn);

  const limiter: Limiter<Caller> & { readonly [forAdapters]: ForAdapters } = {
    name,
    [forAdapters]: room,
    get policy() {
      return live.policy;
    },

    admit(caller, decision) {
      checkDecision("admit", decision);
      return admitCaller(caller, decision?.cost);
    },

    async wait(caller, decision = {}) {
      checkOptions("wait", decision, ["cost", "maxWaitMs", "signal"], "option-invalid");
      check(decision.cost);
      const { layers, charges } = await live.asking.for(caller, decision.cost);
      const trial = shadow?.wait(caller, decision.cost);
      const ask = () => admitCaller(caller, decision.cost, trial?.of);
      const waiting = waitingRoom.wait({ layers, charges, ask }, decision);
      if (trial !== undefined) waiting.then(trial.over, trial.abandon);
      return waiting;
    },

    penalise(caller, cost = oneRequest) {
      check(undefined);
      checkPenalty(cost, live.units);
      return after(live.asking.for(caller, undefined), (own) =>
        after(knowing(own, cost), (asked) => {
          const charging = charge(asked, cost);
          shadow?.penalise(caller, cost);
          return charging;
        }),
      );
    },

    peek(caller, decision = {}) {
      checkOptions("peek", decision, ["cost", "layer"], "option-invalid");
      const { cost, layer } = decision;
      check(cost);
      const reading = (question: Question, ruling: Ruling): Peek =>
        ruling.outcome.admitted
          ? { admitted: true, ...new Decision(ruling, cost, question).toJSON() }
          : new RefusedRequest(ruling, cost, question);
      return after(live.asking.for(caller, cost), (whole) => {
        const question = within(whole, layer);
        return after(overriding.decide(question, cost, true), (ruling) =>
          reading(ruling.asked ?? question, ruling),
        );
      });
    },

    reset(caller, options = {}) {
      check(undefined);
      checkTarget("reset", options);
      return after(live.asking.for(caller, undefined), (question) => {
        const asked = within(question, options.layer);
        const { charges } = asked;
        const now = clock.now();
        if (guard === undefined) alone?.reset(charges, now);
        const resetting = guard === undefined ? store.reset(charges, now) : guard.reset(charges);
        shadow?.reset(caller, options.layer);
        return after(resetting, () => {
          waitingRoom.changed();
          notifyChange({ kind: "reset", partitions: partitionsOf(asked) });
        });
      });
    },

    block(caller, options = {}) {
      check(undefined);
      return override(caller, options, readBlock(options, clock.now()));
    },

    unblock(caller, options = {}) {
      check(undefined);
      checkTarget("unblock", options);
      return override(caller, options, undefined);
    },

    override(caller, options) {
      check(undefined);
      return override(caller, options, readOverride(options, live.units, clock.now()));
    },

    endOverride(caller, options = {}) {
      check(undefined);
      checkTarget("endOverride", options);
      return override(caller, options, undefined);
    },

    setPolicy(layers) {
      check(undefined);
      live.replace(layers);
      waitingRoom.changed();
      notifyChange({ kind: "policy" });
      for (const warning of live.policy.warnings) told(warn, warning, report);
      unregister();
      unregister = registerLimiter({ name, layers: live.policy.layers }, shared, warn);
    },

    setShadow(layers) {
      check(undefined);
      if (shadow === undefined) shadow = makeShadow(layers);
      else shadow.set(layers);
      for (const warning of shadow.policy.warnings) told(warn, `The shadow: ${warning}`, report);
    },

    endShadow() {
      const last = shadow?.report();
      shadow?.stop();
      shadow = undefined;
      return last;
    },

    shadowReport: () => shadow?.report(),

    async ready({ timeoutMs: longestMs = defaultReadyMs } = {}) {
      check(undefined);
      checkWholeNumber("timeoutMs", longestMs, 1, longestReadyMs);
      await guard?.ready(longestMs, live.asking.forUnidentified(undefined));
    },

    observe(observer) {
      checkObserver(observer);
      const one: LimiterObserver = {
        decided: (event) => observer.decided?.(event),
        ended: (event) => observer.ended?.(event),
        settled: (event) => observer.settled?.(event),
        extended: (event) => observer.extended?.(event),
        changed: (event) => observer.changed?.(event),
        ...(observer.shadowed === undefined
          ? {}
          : { shadowed: (event: ShadowEvent) => observer.shadowed?.(event) }),
      };
      observers.add(one);
      return () => {
        observers.delete(one);
      };
    },

    status: () => ({
      ...(guard?.status() ?? { ...alwaysClosed, store: store.name, since: madeAt }),
      reservations: heartbeat.size,
    }),

    close() {
      closed = true;
      unregister();
      heartbeat.stop();
      shadow?.stop();
      if (guard === undefined) return opened?.close?.();
      return guard.stop().then(() => opened?.close?.());
    },
  };
  return limiter;
}

/** Overrides that a process keeps by itself. */
const mostKnownOverrides = 10_000;
/** Nobody is told how long a decision took. */
const unobserved = -1;
const oneRequest: Cost = { requests: 1 };
const usualConnectMs = 5000;
const usualStoreMs = 250;
const usualLookupMs = 250;
const longestTimeoutMs = 60_000;
const defaultReadyMs = 10_000;
const longestReadyMs = 3_600_000;
const alwaysClosed = {
  remote: false,
  state: "closed",
  failures: 0,
  reason: undefined,
  nextProbeAt: 0,
  waiting: 0,
  processes: undefined,
  counters: undefined,
} as const;

/** Goes on at once where nothing has to be awaited. */
function after<Value, Result>(
  value: Value | Promise<Value>,
  go: (value: Value) => Result | Promise<Result>,
): Result | Promise<Result> {
  return value instanceof Promise ? value.then(go) : go(value);
}

/** Only what one layer is asked. */
function within(question: Question, layer: string | undefined): Question {
  return layer === undefined ? question : partOf(question, [placeOf(question.layers, layer)]);
}

/** @throws HeadgateError `option-invalid` for what could never be told anything. */
function checkObserver(observer: unknown): void {
  const { decided, ended, settled, extended, changed, shadowed }: LimiterObserver =
    typeof observer === "object" && observer !== null ? observer : {};
  const given = [decided, ended, settled, extended, changed, shadowed].filter((one) => one !== undefined);
  if (given.length > 0 && given.every((one) => typeof one === "function")) return;
  throw new HeadgateError(
    "option-invalid",
    "observe takes an object with functions decided, ended, settled, extended, changed and shadowed, or some of them; " +
      `it got ${show(observer)}.`,
  );
}

type Listeners = Required<LimiterObserver>;
/** Without what every change has. */
type Change = ChangedEvent extends infer Event
  ? Event extends unknown
    ? Omit<Event, "limiter" | keyof Moment>
    : never
  : never;

function partitionsOf({ layers, charges }: Question): EventPartition[] {
  return charges.map(({ key }, c) => ({ layer: layers[c] as string, key }));
}

/** The part of a question that was counted, one for one with the ruling. */
function countedOf(question: Question, { places }: Ruling): Question {
  return places === undefined ? question : partOf(question, places);
}

const rightCall = '{ name: "chat", layers: [{ name: "ip", key: (ip: string) => ip, limits: "30/minute" }] }';

const limiterOptions = [
  "name",
  "layers",
  "units",
  "store",
  "timeouts",
  "clock",
  "onDecision",
  "onError",
  "onOutage",
  "onWarning",
];

/** A cost beside `cost` would be a request for nothing. Looked at for each request, so that nothing is made for it. */
function checkDecision(of: string, decision: object | undefined): void {
  if (decision === undefined) return;
  for (const option in decision) {
    if (option !== "cost") checkOptions(of, decision, ["cost"], "option-invalid");
  }
}

/** @throws HeadgateError `option-invalid` for what tells no time. */
function checkClock(clock: Clock): Clock {
  if (typeof clock?.now === "function" && Number.isFinite(clock.now())) return clock;
  throw new HeadgateError(
    "option-invalid",
    "clock must have now(), which gives milliseconds since 1970 as a number, such as { now: Date.now }.",
  );
}

/** @throws HeadgateError `option-invalid`, also for a store that is none. */
function checkLimiterOptions(options: unknown): void {
  if (typeof options !== "object" || options === null) {
    throw new HeadgateError(
      "option-invalid",
      `createLimiter takes an object, such as ${rightCall}; it got ${show(options)}.`,
    );
  }
  checkOptions("createLimiter", options, limiterOptions, "option-invalid", othersOptions);
  const { name, store, timeouts = {} } = options as LimiterOptions<never>;
  if (!isName(name)) {
    throw new HeadgateError(
      "option-invalid",
      `createLimiter needs a name of ${nameGrammar}, such as ${rightCall}; it got ${show(name)}.`,
    );
  }
  checkOptions("timeouts", timeouts, ["connectMs", "storeMs", "lookupMs"], "option-invalid");
  if (store === undefined || typeof store === "string") return;
  if (
    typeof store === "object" &&
    store !== null &&
    ["decide", "adjust", "reset"].every((name) => name in store)
  )
    return;
  throw new HeadgateError(
    "store-invalid",
    "store must be a URI such as redis://localhost:6379, or a store: memoryStore(), redisStore(client), postgresStore(pool). " +
      `It is ${showStore(store)}.`,
  );
}

function showStore(store: unknown): string {
  if (typeof store !== "object" || store === null) return show(store);
  const { name } = store.constructor ?? Object;
  return name === "Object" ? "an object without decide, adjust and reset" : `an object of class ${name}`;
}
