import { type Attributes, type Counter, type Meter, metrics } from "@opentelemetry/api";
import type { Admission, LimitReading } from "../core/admission.ts";
import { HeadgateError } from "../core/errors.ts";
import { nearFrom, shareUsed } from "../core/near.ts";
import { checkOptions } from "../core/options.ts";
import { show } from "../core/show.ts";
import type { DecisionEvent, EndEvent, KnownEvent, Limiter } from "../limiter/contract.ts";
import type { ShadowEvent } from "../shadow/shadow.ts";
import { createTally, type Tally } from "./tally.ts";

export interface ObserveOptions {
  /** The meter that records the metrics. Default: the meter "headgate" of the global provider. */
  meter?: Meter;
}

/** In seconds. Decisions take from microseconds (in memory) to the time limit of a store. */
const durationBuckets = [
  0.00001, 0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5,
];
/** In seconds. Waits range from a second to a month. */
const waitBuckets = [1, 2, 5, 10, 30, 60, 300, 900, 3600, 21_600, 86_400, 604_800, 2_592_000];
const stateNumbers = { closed: 0, "half-open": 1, open: 2 } as const;

/**
 * Records a limiter's decisions, waits, reservations and the state of its store as OpenTelemetry metrics. Attributes
 * name limiter, layer, limit, plan and outcome, but never a caller.
 *
 * ```ts
 * const stop = observe(limiter);
 * ```
 *
 * @returns a function that stops it
 */
export function observe(
  limiter: Pick<Limiter<never>, "name" | "observe" | "status">,
  options: ObserveOptions = {},
): () => void {
  const meter = readMeter(limiter, options);
  const ofLimiter: Attributes = { "headgate.limiter": limiter.name };
  const decisions = meter.createCounter("headgate.decisions", {
    description:
      "Decisions, by outcome: admitted, near (admitted with 80% or more of a limit used), refused.",
    unit: "{decision}",
  });
  const shadowDecisions = meter.createCounter("headgate.shadow.decisions", {
    description:
      "Decisions of the shadow, by its outcome (shadow-admitted, shadow-refused) and the live outcome.",
    unit: "{decision}",
  });
  const durations = meter.createHistogram("headgate.decision.duration", {
    description: "Duration of decisions, including the store's answer.",
    unit: "s",
    advice: { explicitBucketBoundaries: durationBuckets },
  });
  const waits = meter.createHistogram("headgate.wait", {
    description: "How long refused callers have to wait.",
    unit: "s",
    advice: { explicitBucketBoundaries: waitBuckets },
  });
  const knownIds = meter.createCounter("headgate.known", {
    description: "Requests that were answered by their id, without a decision: running, done, conflict.",
    unit: "{request}",
  });
  const used = meter.createCounter("headgate.used", {
    description: "Units that ended reservations have used.",
    unit: "{unit}",
  });
  const overshoot = meter.createCounter("headgate.overshoot", {
    description: "Units that ended reservations have used in excess of what they were granted.",
    unit: "{unit}",
  });

  const tallies: Tally[] = [];
  function tallyOf(counter: Counter, ...names: string[]): Tally {
    const tally = createTally(counter, names, ofLimiter);
    tallies.push(tally);
    return tally;
  }
  const ofDecisions = tallyOf(
    decisions,
    "headgate.outcome",
    "headgate.decided_by",
    "headgate.plan",
    "headgate.reason",
    "headgate.layer",
    "headgate.limit",
  );
  const ofShadow = tallyOf(
    shadowDecisions,
    "headgate.outcome",
    "headgate.live_outcome",
    "headgate.plan",
    "headgate.reason",
    "headgate.layer",
    "headgate.limit",
  );
  const ofKnown = tallyOf(knownIds, "headgate.state");
  const ofUsed = tallyOf(used, "headgate.unit");
  const ofOvershoot = tallyOf(overshoot, "headgate.unit");
  /** The attributes of durations, by who decided. */
  const deciders = new Map<string, Attributes>();

  function attributesOf(decidedBy: string): Attributes {
    let attributes = deciders.get(decidedBy);
    if (attributes === undefined) {
      attributes = { ...ofLimiter, "headgate.decided_by": decidedBy };
      deciders.set(decidedBy, attributes);
    }
    return attributes;
  }

  function decided({ admission, durationMs }: DecisionEvent): void {
    const { decidedBy, plan } = admission;
    const { name, limit } = outcomeOf(admission);
    const reason = admission.admitted ? undefined : admission.reason;
    const limitName = limit === undefined ? undefined : nameOf(limit, admission);
    ofDecisions.add(1, name, decidedBy, plan, reason, limit?.layer, limitName);
    durations.record(durationMs / 1000, attributesOf(decidedBy));
    if (admission.admitted || !Number.isFinite(admission.retryAfterMs)) return;
    const { binding } = admission;
    waits.record(admission.retryAfterMs / 1000, {
      ...ofLimiter,
      "headgate.layer": binding.layer,
      "headgate.limit": nameOf(binding, admission),
      "headgate.waits_for": admission.waitsFor,
    });
  }

  function known({ known: { state } }: KnownEvent): void {
    ofKnown.add(1, state);
  }

  function ended({ used: amounts, granted }: EndEvent): void {
    for (const [unit, amount] of Object.entries(amounts)) {
      if (amount > 0) ofUsed.add(amount, unit);
      const beyond = amount - (granted[unit] ?? 0);
      if (beyond > 0) ofOvershoot.add(beyond, unit);
    }
  }

  function shadowed({ shadow, live }: ShadowEvent): void {
    // The shadow ignores overrides, so its decision is meaningless for such callers.
    if (live.overrides !== undefined) return;
    const liveOutcome = live.admitted ? "admitted" : "refused";
    if (shadow.admitted) {
      ofShadow.add(1, "shadow-admitted", liveOutcome, shadow.plan, undefined, undefined, undefined);
      return;
    }
    const { plan, reason, binding } = shadow;
    ofShadow.add(1, "shadow-refused", liveOutcome, plan, reason, binding.layer, binding.name);
  }

  const flush = () => {
    for (const tally of tallies) tally.flush();
  };
  const stops = [
    limiter.observe({ decided, known, ended, shadowed }),
    observeStatus(limiter, meter, ofLimiter, flush),
    flush,
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

/** @throws HeadgateError `option-invalid` */
function readMeter(limiter: unknown, options: ObserveOptions): Meter {
  if (typeof limiter !== "object" || limiter === null || !("observe" in limiter))
    fail(`observe takes a limiter made by createLimiter, got ${show(limiter)}.`);
  if (typeof options !== "object" || options === null)
    fail(`The options of observe must be an object such as { meter }, got ${show(options)}.`);
  checkOptions("observe", options, ["meter"], "option-invalid");
  const { meter = metrics.getMeter("headgate") } = options;
  if (typeof meter === "object" && meter !== null && "createCounter" in meter) return meter;
  fail(`meter of observe must be an OpenTelemetry meter, got ${show(meter)}.`);
}

function fail(message: string): never {
  throw new HeadgateError("option-invalid", message);
}

/** Overrides may have limits of any name. They share one name here, to bound the number of attributes. */
function nameOf({ layer, name }: LimitReading, { overrides = [] }: Admission): string {
  return overrides.some((one) => one.layer === layer) ? "overridden" : name;
}

/**
 * Reports the limiter's status at each collection.
 *
 * @param before called first. A collection runs these callbacks before it reads the counters.
 */
function observeStatus(
  limiter: Pick<Limiter<never>, "status">,
  meter: Meter,
  ofLimiter: Attributes,
  before: () => void,
): () => void {
  const reservations = meter.createObservableGauge("headgate.reservations", {
    description: "Admitted requests of this process that hold units or places.",
    unit: "{reservation}",
  });
  const state = meter.createObservableGauge("headgate.store.state", {
    description:
      "The store as this process sees it: 0 the store decides, 1 the store is being tried again, 2 the outage policies decide.",
  });
  const waiting = meter.createObservableGauge("headgate.store.unsent_changes", {
    description: "Changes not yet sent to the store.",
    unit: "{change}",
  });
  const processes = meter.createObservableGauge("headgate.store.processes", {
    description: "Live processes that the store last reported.",
    unit: "{process}",
  });
  const failures = meter.createObservableCounter("headgate.store.failures", {
    description: "Store calls that failed or timed out.",
    unit: "{call}",
  });
  const dropped = meter.createObservableCounter("headgate.store.dropped", {
    description: "Changes lost before they could be sent to the store.",
    unit: "{change}",
  });
  const instruments = [reservations, state, waiting, processes, failures, dropped];

  const read: Parameters<Meter["addBatchObservableCallback"]>[0] = (result) => {
    before();
    const status = limiter.status();
    const attributes = { ...ofLimiter, "headgate.store": status.store };
    result.observe(reservations, status.reservations, ofLimiter);
    result.observe(state, stateNumbers[status.state], attributes);
    if (!status.remote) return;
    result.observe(waiting, status.waiting, attributes);
    if (status.processes !== undefined) result.observe(processes, status.processes, attributes);
    if (status.counters === undefined) return;
    result.observe(failures, status.counters.failures, attributes);
    result.observe(dropped, status.counters.dropped, attributes);
  };
  meter.addBatchObservableCallback(read, instruments);
  return () => meter.removeBatchObservableCallback(read, instruments);
}

function outcomeOf(admission: Admission): {
  name: "admitted" | "near" | "refused";
  limit: LimitReading | undefined;
} {
  if (!admission.admitted) return { name: "refused", limit: admission.binding };
  const limit = nearestOf(admission.limits);
  return { name: limit === undefined ? "admitted" : "near", limit };
}

/**
 * Returns the limit of which the largest share is used; `undefined` if none is near. `concurrent` limits are ignored,
 * because their places are taken and freed all the time.
 */
function nearestOf(limits: readonly LimitReading[]): LimitReading | undefined {
  let nearest: LimitReading | undefined;
  let most = nearFrom;
  for (const limit of limits) {
    if (limit.algorithm === "concurrent") continue;
    const share = shareUsed(limit);
    if (share < most) continue;
    most = share;
    nearest = limit;
  }
  return nearest;
}
