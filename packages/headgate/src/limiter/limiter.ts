import type { Admission, Peek } from "../core/admission.ts";
import { after } from "../core/after.ts";
import { inBackground } from "../core/background.ts";
import { monotonic } from "../core/clock.ts";
import { type Cost, checkCost } from "../core/cost.ts";
import { Decision, RefusedRequest } from "../core/decision.ts";
import { HeadgateError } from "../core/errors.ts";
import { type ForAdapters, forAdapters } from "../core/for-adapters.ts";
import type { LimitSet } from "../core/limit-set.ts";
import { checkOptions } from "../core/options.ts";
import { checkOutcome } from "../core/outcome.ts";
import type { OverrideTerms } from "../core/override.ts";
import { knownLimits, type LayerOptions } from "../core/policy.ts";
import { free, partOf, type Question, type Ruling, unasked } from "../core/ruling.ts";
import { show } from "../core/show.ts";
import type { Outcome, Store } from "../core/store.ts";
import type { Declared, UnitsOfLayers } from "../core/units.ts";
import { checkWholeNumber } from "../core/whole-number.ts";
import { createOverriding } from "../overriding/deciding.ts";
import { createKnownOverrides } from "../overriding/known-overrides.ts";
import { createPrefixes } from "../overriding/prefixes.ts";
import {
  checkPrefix,
  checkPrefixTarget,
  checkTarget,
  type OverrideTarget,
  placeOf,
  readBlock,
  readOverride,
  readPrefixOverride,
  targetOf,
} from "../overriding/terms.ts";
import { decideByPolicies, guardStore, LocalLedger } from "../remote/index.ts";
import type { ReservationServices } from "../reservation/book.ts";
import { createHeartbeat } from "../reservation/heartbeat.ts";
import { Reservation } from "../reservation/reservation.ts";
import { mintRid } from "../reservation/rid.ts";
import { createShadow, type Shadow } from "../shadow/shadow.ts";
import { ShadowedReservation } from "../shadow/shadowed-reservation.ts";
import type { Trial } from "../shadow/trial.ts";
import { byKeysOf } from "../stores/memory/by-keys.ts";
import { MemoryOutcome } from "../stores/memory/outcome.ts";
import { openStore } from "../stores/open.ts";
import { checkClock, checkDecision, checkLimiterOptions, checkObserver } from "./checks.ts";
import { systemClock } from "./clock.ts";
import type { Limiter, LimiterOptions } from "./contract.ts";
import { registerLimiter } from "./live-limiters.ts";
import { createLivePolicy, type LayerChange } from "./live-policy.ts";
import { createLookups } from "./lookups.ts";
import { createObserving } from "./observing.ts";
import { checkPenalty } from "./penalising.ts";
import { PlainRuling } from "./plain-ruling.ts";
import type { Plain } from "./question-builder.ts";
import {
  eachKindOnce,
  guarded,
  notify,
  outagesOnConsole,
  reportOnConsole,
  warnOnConsole,
} from "./reporting.ts";
import { createWaitingRoom } from "./waiting.ts";

/**
 * Creates a limiter from a policy and a store.
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
 * Costs may name the units that the limits count: `"100000 tokens/day"` allows `cost: { tokens: 900 }`. Units are
 * checked by the compiler if limits are literal texts and no type argument is given, and otherwise at run time.
 *
 * @throws HeadgateError for an invalid name, policy, limit or store URI. The message names the value.
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
  const opened = typeof options.store === "object" ? undefined : openStore(options.store ?? "memory://");
  const store = opened ?? (options.store as Store);
  const report = guarded(options.onError ?? reportOnConsole());
  const reportMistake = eachKindOnce(report);
  const clock = monotonic(options.clock === undefined ? systemClock : checkClock(options.clock), (given) =>
    reportMistake(
      new HeadgateError(
        "option-invalid",
        `The clock must return milliseconds since 1970, got ${given instanceof Error ? given.message : show(given)}. Time stops until it does.`,
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
  const byKeys = byKeysOf(store);
  const live = createLivePolicy(options.layers, options.units, {
    ...asks(),
    name,
    onUncounted() {
      if (hasWarned) return;
      hasWarned = true;
      notify(
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
        onOutage: (event) => notify(onOutage, event, report),
        findBlock: (charges, now) => known.findBlock(charges, now),
        onContact: () => prefixes.load(),
        onAsked: (question) => shadow?.ride(question),
        takeBack(ruling) {
          // For an extension, the reservation itself sends the totals.
          if (ruling.hold === undefined || ruling.hold.seq === 1)
            void new Reservation(ruling, ruling, undefined, unannounced).end("nothing");
        },
      })
    : undefined;

  const observing = createObserving({
    name,
    clock,
    isRemote: store.remote,
    isLookedUp: live.isLookedUp,
    report,
  });
  if (onDecision !== undefined) observing.add({ decided: onDecision });
  /** The current shadow. */
  let shadow: Shadow<Caller> | undefined;
  /** Counts if a store in this process fails. Made when it is first needed. */
  let alone: LocalLedger | undefined;
  let closed = false;
  const heartbeat = createHeartbeat(clock, report);
  /** For charges and refunds without an admission: their end is not reported to observers. */
  const unannounced: ReservationServices = {
    now: clock.now,
    report,
    units: live.units,
    decide: (question) => overriding.extend(question),
    holds: heartbeat.add,
    released(book) {
      heartbeat.remove(book);
      // After the store has applied the end.
      queueMicrotask(() => waitingRoom.freed());
    },
    mintRid,
  };
  const services: ReservationServices = {
    ...unannounced,
    released(book) {
      unannounced.released(book);
      observing.ended(book);
    },
    settled: observing.settled,
    settledLocally: observing.settledLocally,
    extended: observing.extended,
  };
  const waitingRoom = createWaitingRoom(clock);
  const prefixes = createPrefixes({
    store,
    limiter: name,
    clock,
    layerNames,
    report: reportMistake,
    onChanged: () => waitingRoom.changed(),
    call: (make) => (guard === undefined ? make() : guard.call(make)),
  });
  const overriding = createOverriding({
    known,
    prefixes,
    storeOverrides: store.override !== undefined,
    isRemote: store.remote,
    ledger: store,
    memoryOf: live.memoryOf,
    mintRid,
    now: clock.now,
    report: reportMistake,
    ask,
  });

  /** @param began the result of `observing.begin()`. */
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
    observing.decided(own, counted, cost, ruling, admission, began);
    trial?.answered(admission);
    return admission;
  }

  /** Asks the store, or whatever decides in its place. */
  function ask(question: Question, peek: boolean): Ruling | Promise<Ruling> {
    return guard === undefined ? decideHere(question, peek) : guard.decide(question, peek);
  }

  /** Without a guard: a store in this process answers at once and needs none. */
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
    const began = observing.begin();
    return decide(question, cost, false, (ruling) => conclude(question, cost, ruling, began, trial));
  }

  /**
   * Decides under the overrides in force and calls `decided` with the ruling. The first decisions of a process, or
   * after a pause, wait until the overrides by prefix have been read.
   */
  function decide<Result>(
    question: Question,
    cost: Cost | undefined,
    peek: boolean,
    decided: (ruling: Ruling) => Result,
  ): Result | Promise<Result> {
    const reading = prefixes.refresh();
    const contact = reading && (guard?.contact(question) ?? Promise.race([reading, pause(storeMs)]));
    if (contact === undefined) return overriding.decide(question, cost, peek, decided);
    return contact.then(() => overriding.decide(question, cost, peek, decided));
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
    return after(live.questions.for(caller, undefined), (question) => {
      const { charge, layer } = targetOf(question, target);
      if (terms !== undefined) checkTerms(layer, charge.limits, terms);
      const partitions = [charge];
      const apply = (now: number) => overrideIn.call(store, partitions, terms, now);
      const applying = guard === undefined ? apply(clock.now()) : guard.override(partitions, apply);
      // Only after the call succeeded: if the store could not be reached, its old override is still in force.
      return after(applying, () => {
        known.forget(partitions);
        if (terms !== undefined) known.begin(partitions, terms, clock.now());
        waitingRoom.changed();
        observing.overridden({ layer, key: charge.key }, terms);
      });
    });
  }

  /** @throws HeadgateError if the limits cannot replace the limits of the layer. */
  function checkTerms(layer: string, own: LimitSet, { limits }: OverrideTerms): void {
    for (const one of new Set([own, ...limitsIn(layer)])) overriding.check(layer, one, limits);
  }

  /** The limits of a layer in the policy that are known in advance. */
  function limitsIn(layer: string): readonly LimitSet[] {
    const found = live.policy.layers.find(({ name }) => name === layer);
    return found === undefined ? [] : knownLimits(found).filter(({ word }) => word !== "blocked");
  }

  function layerNames(): readonly string[] {
    return live.policy.layers.map((layer) => layer.name);
  }

  /** Charges a penalty. */
  function charge(asked: Question, cost: Cost): void | Promise<void> {
    // First a free reservation; `end` then charges the cost, like the settlement of a request.
    const question = free(asked);
    const rulings = guard === undefined ? [unasked(question, store, clock.now())] : guard.open(question);
    const charging = rulings.map((ruling) => {
      const counted = countedOf(question, ruling);
      const penalty = new Reservation(ruling, counted, undefined, {
        ...unannounced,
        settled(_book, _adjustments, { now, order }) {
          observing.penalised(counted, cost, { at: now, order });
        },
      });
      return penalty.end(cost);
    });
    if (charging.some((one) => one !== undefined)) return Promise.all(charging).then(() => {});
  }

  /**
   * The same partitions under the overrides in force. Asks the store only if a unit is not counted by the plans but may
   * be by an override.
   */
  function knowing(own: Question, cost: Cost): Question | Promise<Question> {
    const asked = overriding.underKnown(own);
    const counted = new Set(asked.charges.flatMap(({ limits }) => limits.groups.map(({ unit }) => unit)));
    if (store.override === undefined || Object.keys(cost).every((unit) => counted.has(unit))) return asked;
    return decide(own, undefined, true, (ruling) => ruling.asked ?? own);
  }

  /**
   * Fast path for most requests over a memory store: without observers, a shadow or overrides. Returns `undefined` if a
   * whole question is needed.
   */
  function admitByKeys(plain: Plain | undefined, keys: readonly (string | null)[]): Admission | undefined {
    if (plain === undefined || byKeys === undefined || byKeys.decide !== store.decide) return undefined;
    if (shadow !== undefined || observing.isObserved || !known.isEmpty) return undefined;
    if (prefixes.refresh() !== undefined || !prefixes.isEmpty) return undefined;
    for (let k = 0; k < keys.length; k += 1) if (keys[k] === null) return undefined;
    const { parts, layers, policy } = plain;
    const outcome = byKeys.admit(parts, keys as readonly string[], clock.now());
    if (outcome === undefined) return undefined;
    const ruling = new PlainRuling(outcome, store, layers, policy, parts, keys as readonly string[]);
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
        isObserved: () => observing.isShadowObserved,
        notify: observing.shadowed,
      },
      layers,
    );
  }

  const room: ForAdapters = {
    report,
    admitUnidentified() {
      check(undefined);
      const question = live.questions.forUnidentified(undefined);
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
      const { layers, charges } = await live.questions.for(caller, decision.cost);
      const trial = shadow?.wait(caller, decision.cost);
      const ask = () => admitCaller(caller, decision.cost, trial?.of);
      const waiting = waitingRoom.wait({ layers, charges, ask }, decision);
      if (trial !== undefined) waiting.then(trial.over, trial.abandon);
      return waiting;
    },

    penalise(caller, cost = oneRequest) {
      check(undefined);
      checkPenalty(cost, live.units);
      return after(live.questions.for(caller, undefined), (own) =>
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
      return after(live.questions.for(caller, cost), (whole) => {
        const question = within(whole, layer);
        return decide(question, cost, true, (ruling) => reading(ruling.asked ?? question, ruling));
      });
    },

    reset(caller, options = {}) {
      check(undefined);
      checkTarget("reset", options);
      return after(live.questions.for(caller, undefined), (question) => {
        const asked = within(question, options.layer);
        const { charges } = asked;
        const now = clock.now();
        if (guard === undefined) alone?.reset(charges, now);
        const resetting = guard === undefined ? store.reset(charges, now) : guard.reset(charges);
        shadow?.reset(caller, options.layer);
        return after(resetting, () => {
          waitingRoom.changed();
          observing.wasReset(asked);
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

    overridePrefix(target, options) {
      check(undefined);
      checkPrefixTarget("overridePrefix", target, layerNames());
      const terms = readPrefixOverride(options, live.units, clock.now());
      for (const one of limitsIn(target.layer)) overriding.check(target.layer, one, terms.limits);
      return after(prefixes.set(target, terms), () => observing.overriddenByPrefix(target, terms));
    },

    endPrefixOverride(target) {
      check(undefined);
      checkPrefix("endPrefixOverride", target);
      return after(prefixes.set(target, undefined), () => observing.overriddenByPrefix(target, undefined));
    },

    prefixOverrides() {
      check(undefined);
      return prefixes.list();
    },

    setPolicy(layers) {
      check(undefined);
      live.replace(layers);
      waitingRoom.changed();
      observing.policyChanged();
      for (const warning of live.policy.warnings) notify(warn, warning, report);
      unregister();
      unregister = registerLimiter({ name, layers: live.policy.layers }, shared, warn);
    },

    setShadow(layers) {
      check(undefined);
      if (shadow === undefined) shadow = makeShadow(layers);
      else shadow.set(layers);
      for (const warning of shadow.policy.warnings) notify(warn, `The shadow: ${warning}`, report);
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
      await guard?.ready(longestMs, live.questions.forUnidentified(undefined));
    },

    observe(observer) {
      checkObserver(observer);
      return observing.add(observer);
    },

    status: () => ({
      ...(guard?.status() ?? { ...alwaysClosed, store: store.name, since: madeAt }),
      reservations: heartbeat.size,
    }),

    close() {
      closed = true;
      unregister();
      heartbeat.stop();
      prefixes.stop();
      shadow?.stop();
      if (guard === undefined) return opened?.close?.();
      return guard.stop().then(() => opened?.close?.());
    },
  };
  return limiter;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    inBackground(ms, resolve);
  });
}

/** How many overrides a process remembers. */
const mostKnownOverrides = 10_000;
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

/** The part of a question about one layer, if one is named. */
function within(question: Question, layer: string | undefined): Question {
  return layer === undefined ? question : partOf(question, [placeOf(question.layers, layer)]);
}

/** The part of a question that was counted: the same charges as in the ruling. */
function countedOf(question: Question, { places }: Ruling): Question {
  return places === undefined ? question : partOf(question, places);
}
