import { inBackground } from "../core/background.ts";
import { type Clock, checkClock, monotonic } from "../core/clock.ts";
import { type Cost, checkCost } from "../core/cost.ts";
import { HeadgateError } from "../core/errors.ts";
import type { LayerOptions } from "../core/policy.ts";
import type { Question, Ruling } from "../core/ruling.ts";
import { show } from "../core/show.ts";
import type { Store } from "../core/store.ts";
import { checkWholeNumber } from "../core/whole-number.ts";
import { createOverriding } from "../overriding/deciding.ts";
import { createKnownOverrides } from "../overriding/known-overrides.ts";
import { createPrefixes } from "../overriding/prefixes.ts";
import { guardStore } from "../remote/index.ts";
import type { ReservationServices } from "../reservation/book.ts";
import { createHeartbeat } from "../reservation/heartbeat.ts";
import { Reservation } from "../reservation/reservation.ts";
import { mintRid } from "../reservation/rid.ts";
import type { Shadow } from "../shadow/shadow.ts";
import { openStore } from "../stores/open.ts";
import { systemClock } from "./clock.ts";
import type { LimiterOptions } from "./contract.ts";
import { createLivePolicy, type LivePolicy } from "./live-policy.ts";
import { createLookups } from "./lookups.ts";
import { createObserving } from "./observing.ts";
import { createOwnStore } from "./own-store.ts";
import {
  eachKindOnce,
  guarded,
  notify,
  outagesOnConsole,
  reportOnConsole,
  warnOnConsole,
} from "./reporting.ts";
import { createRunningClaims } from "./running-claims.ts";
import { createWaitingRoom } from "./waiting.ts";

/** What the calls of a limiter share. */
export type LimiterParts<Caller> = ReturnType<typeof createParts<Caller>>;

/** How many overrides a process remembers. */
const mostKnownOverrides = 10_000;
const usualConnectMs = 5000;
const usualStoreMs = 250;
const usualLookupMs = 250;
const longestTimeoutMs = 60_000;

/** Creates the parts of a limiter and connects them. Parts that need each other get functions, which they call later. */
export function createParts<Caller>(options: LimiterOptions<Caller>) {
  const { name } = options;
  const opened = typeof options.store === "object" ? undefined : openStore(options.store ?? "memory://");
  const store = opened ?? (options.store as Store);
  const report = guarded(options.onError ?? reportOnConsole());
  const reportMistake = eachKindOnce(report);
  const clock = createClock(options.clock, reportMistake);
  const { connectMs, storeMs, lookupMs } = readTimeouts(options.timeouts);
  const onOutage = options.onOutage ?? outagesOnConsole();
  const onWarning = options.onWarning ?? warnOnConsole;
  const warn = (warning: string) => notify(onWarning, warning, report);
  const madeAt = clock.now();
  /** The shadow, if one is set. */
  const shadowing: { shadow: Shadow<Caller> | undefined } = { shadow: undefined };
  const state = { isClosed: false };

  /** Defines a policy of this limiter: the one in force, or a shadow's. */
  function definePolicy(
    of: string,
    layers: readonly LayerOptions<Caller>[],
    onUncounted: () => void,
  ): LivePolicy<Caller> {
    const lookups = createLookups({ clock, lookupMs, report, reportMistake });
    return createLivePolicy(layers, options.units, { name: of, lookups, report: reportMistake, onUncounted });
  }

  const warnOfUncounted = once(() =>
    warn(`No layer of the limiter "${name}" applies to a request: every key is null, and it is not counted.`),
  );
  const live = definePolicy(name, options.layers, warnOfUncounted);
  const known = createKnownOverrides(mostKnownOverrides);
  const running = createRunningClaims();
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
        findClaim: running.find,
        findUnsentClaim: running.findUnsent,
        onContact: () => prefixes.load(),
        onAsked: (question) => shadowing.shadow?.ride(question),
        takeBack,
      })
    : undefined;
  const own = createOwnStore({
    store,
    isForeign: opened === undefined,
    clock,
    outageOf: live.outageOf,
    report,
  });
  const observing = createObserving({
    name,
    clock,
    isRemote: store.remote,
    isLookedUp: live.isLookedUp,
    report,
  });
  const heartbeat = createHeartbeat(clock, report);
  const waitingRoom = createWaitingRoom(clock);
  const prefixes = createPrefixes({
    store,
    limiter: name,
    clock,
    layerNames: () => live.policy.layers.map((layer) => layer.name),
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
    ask: guard?.decide ?? own.decide,
  });

  /** Afterwards, so that the store has applied it. */
  const noteFreed = () => queueMicrotask(() => waitingRoom.freed());

  /** For charges and refunds outside of an admission. Their end is not reported. */
  const unannounced: ReservationServices = {
    now: clock.now,
    report,
    units: live.units,
    decide: (question) => overriding.extend(question),
    holds(book, owner) {
      running.add(book);
      heartbeat.add(book, owner);
    },
    released(book) {
      running.remove(book);
      heartbeat.remove(book);
      noteFreed();
    },
    sent: running.remove,
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

  /** A request that is given back is not running, so its id is not listed and it sends no heartbeat. */
  const givenBack: ReservationServices = { ...unannounced, holds() {}, released: noteFreed };

  function takeBack(ruling: Ruling): void {
    void new Reservation(ruling, ruling, undefined, givenBack).end("nothing");
  }

  /** @throws HeadgateError `limiter-closed`, or `cost-invalid`. */
  function check(cost: Cost | undefined): void {
    if (state.isClosed)
      throw new HeadgateError("limiter-closed", "This limiter has been closed and decides nothing more.");
    checkCost(cost, live.units);
  }

  /**
   * Decides under the overrides in force, and calls `decided` with the ruling. The first decisions of a process, and those after a pause,
   * wait until the overrides by prefix have been read.
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

  return {
    name,
    store,
    /** The store, if the limiter opened it from a URI. It is then closed with the limiter. */
    opened,
    clock,
    storeMs,
    madeAt,
    report,
    reportMistake,
    warn,
    live,
    definePolicy,
    known,
    guard,
    own,
    observing,
    heartbeat,
    waitingRoom,
    prefixes,
    overriding,
    unannounced,
    services,
    shadowing,
    state,
    check,
    decide,
  };
}

function createClock(given: Clock | undefined, report: (error: unknown) => void): Clock {
  return monotonic(given === undefined ? systemClock : checkClock(given), (answer) =>
    report(
      new HeadgateError(
        "option-invalid",
        `The clock must return milliseconds since 1970, got ${answer instanceof Error ? answer.message : show(answer)}. Time stops until it does.`,
      ),
    ),
  );
}

/** @throws HeadgateError `option-invalid` */
function readTimeouts(timeouts: LimiterOptions<never>["timeouts"] = {}) {
  const { connectMs = usualConnectMs, storeMs = usualStoreMs, lookupMs = usualLookupMs } = timeouts;
  checkWholeNumber("timeouts.connectMs", connectMs, 0, longestTimeoutMs);
  checkWholeNumber("timeouts.storeMs", storeMs, 1, longestTimeoutMs);
  checkWholeNumber("timeouts.lookupMs", lookupMs, 1, longestTimeoutMs);
  return { connectMs, storeMs, lookupMs };
}

function once(run: () => void): () => void {
  let hasRun = false;
  return () => {
    if (hasRun) return;
    hasRun = true;
    run();
  };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    inBackground(ms, resolve);
  });
}
