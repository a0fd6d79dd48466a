import { systemClock } from "./clock.ts";
import {
  type Admission,
  findTightest,
  nameReadings,
  type Peek,
  type Refused,
  refuse,
} from "./core/admission.ts";
import { type Clock, monotonic } from "./core/clock.ts";
import { amountsOf, type Cost, checkCost } from "./core/cost.ts";
import { HeadgateError } from "./core/errors.ts";
import { definePolicy, type Layer, type LayerOptions, type Policy } from "./core/policy.ts";
import type { Charge, Outcome, Store } from "./core/store.ts";
import { Handle } from "./handle.ts";
import { createHeartbeat } from "./heartbeat.ts";
import { memoryStore } from "./stores/memory/index.ts";
import { openStore } from "./stores/open.ts";

export interface LimiterOptions<Caller> {
  /** The layers that guard the endpoint. A request is charged in all that apply to it, or in none. */
  layers: readonly LayerOptions<Caller>[];
  /** A store URI or a store; `memory://` by default: this process counts for itself. */
  store?: string | Store;
  /** Default: the wall clock. It may run backwards; the limiter does not. */
  clock?: Clock;
  /** Put before each layer's name in the store, to keep apart limiters that share one. Default: nothing. */
  prefix?: string;
  /** Called after every decision of `admit`, for logs and metrics. What it throws goes to `onError`. */
  onDecision?: (event: DecisionEvent) => void;
  /**
   * Called when something of the guard's own fails: a key function that throws, a store that cannot answer. The
   * request is decided all the same. Default: a line on the console, at most one a minute for each kind.
   */
  onError?: (error: unknown) => void;
  /** Called when the limiter is made, for each thing in the policy that can hardly be meant. Default: the console. */
  onWarning?: (warning: string) => void;
}

export interface DecisionOptions {
  /** What the request costs, by unit; one request by default. */
  cost?: Cost;
}

/** One decision of `admit`. */
export interface DecisionEvent {
  /** When, by the limiter's clock: milliseconds since 1970-01-01T00:00Z. */
  readonly at: number;
  readonly admission: Admission;
  readonly cost: Cost | undefined;
  /** The partitions that were asked, layer by layer. They name callers: treat them as personal. */
  readonly partitions: readonly { readonly layer: string; readonly key: string }[];
}

/** Decides who may pass. Made by `createLimiter`. */
export interface Limiter<Caller> {
  readonly policy: Policy<Caller>;
  /**
   * Decides one request, and charges it if it is admitted. Over a store that answers at once (memory) the answer
   * comes without a promise; `await` takes either.
   *
   * @throws HeadgateError `cost-invalid`, or `limiter-closed`. Nothing else: see `onError`.
   */
  admit(caller: Caller, options?: DecisionOptions): Admission | Promise<Admission>;
  /**
   * Decides a request whose caller could not be told, because telling it failed: all such requests share one
   * partition in each layer, so that a fault neither opens the gate nor closes it.
   */
  admitUnidentified(options?: DecisionOptions): Admission | Promise<Admission>;
  /** What `admit` would answer now. Charges nothing, and is no decision event. */
  peek(caller: Caller, options?: DecisionOptions): Peek | Promise<Peek>;
  /** Gives a caller the whole quota back, in every layer that applies. */
  reset(caller: Caller): void | Promise<void>;
  /** Hands a fault of the guard's own to `onError`: for adapters, which catch what must not reach the endpoint. */
  report(error: unknown): void;
  /** Closes a store that was opened from a URI. The limiter is not used afterwards. */
  close(): void | Promise<void>;
}

/** The key of callers that could not be told. No key function of the user's can return it by accident. */
const unidentified = "\u0000unidentified";
/** The key of callers whose key is too long to be kept: whoever sends one shares it with all who do. */
const overlong = "\u0000overlong";
const longestKey = 1024;

/**
 * Makes a limiter from a policy and a store.
 *
 * ```ts
 * const chat = createLimiter({
 *   layers: [
 *     { name: "user", key: (caller: Caller) => caller.user ?? caller.ip, limits: "5/minute; 60/hour" },
 *     { name: "ip", key: (caller: Caller) => caller.ip, limits: "30/minute" },
 *   ],
 * });
 * const admission = await chat.admit({ user: "42", ip: "203.0.113.7" });
 * ```
 *
 * @throws HeadgateError for a policy, a limit or a store URI that cannot be used, naming it.
 */
export function createLimiter<Caller>(options: LimiterOptions<Caller>): Limiter<Caller> {
  const policy = definePolicy(options.layers);
  const { prefix = "", onDecision } = options;
  if (typeof prefix !== "string") {
    throw new HeadgateError("option-invalid", `prefix must be text, got ${typeof prefix}.`);
  }
  const opened = typeof options.store === "object" ? undefined : openStore(options.store ?? "memory://");
  const store = opened ?? (options.store as Store);
  const clock = monotonic(options.clock ?? systemClock);
  const report = guarded(options.onError ?? reportOnConsole());
  for (const warning of policy.warnings) (options.onWarning ?? warnOnConsole)(warning);

  /** Counts while the store cannot: made when it is first needed. */
  let local: Store | undefined;
  let closed = false;
  const heartbeat = createHeartbeat(report);

  function keyOf(layer: Layer<Caller>, caller: Caller): string | null {
    try {
      const key = layer.key(caller);
      if (key === null || key === undefined || key === "") return null;
      if (typeof key === "string") return key.length > longestKey ? overlong : key;
      throw new HeadgateError(
        "policy-invalid",
        `The key of layer "${layer.name}" must be text, got ${typeof key}.`,
      );
    } catch (error) {
      report(error);
      return unidentified;
    }
  }

  /** For callers that could not be told, limits by caller cannot be told either: the last known ones serve. */
  const lastLimits = new Map<string, ReturnType<Layer<Caller>["limitsFor"]>>();

  function limitsOf(layer: Layer<Caller>, caller: Caller | undefined) {
    if (layer.limits !== undefined) return layer.limits;
    if (caller === undefined) return lastLimits.get(layer.name);
    try {
      const limits = layer.limitsFor(caller);
      lastLimits.set(layer.name, limits);
      return limits;
    } catch (error) {
      report(error);
      return lastLimits.get(layer.name);
    }
  }

  function chargesOf(caller: Caller | undefined, told: boolean, cost: Cost | undefined) {
    const layers: string[] = [];
    const charges: Charge[] = [];
    for (const layer of policy.layers) {
      const key = told ? keyOf(layer, caller as Caller) : unidentified;
      if (key === null) continue;
      const limits = limitsOf(layer, told ? caller : undefined);
      if (limits === undefined) continue;
      const { needs, spends } = amountsOf(limits, cost);
      layers.push(layer.name);
      charges.push({ space: prefix + layer.name, key, limits, needs, spends });
    }
    return { layers, charges };
  }

  const handleServices = { now: clock.now, released: heartbeat.remove };

  function keepAlive(handle: Handle, charges: readonly Charge[]): Handle {
    const leaseMs = Math.min(...charges.map(({ limits }) => limits.leaseMs));
    if (leaseMs !== Number.POSITIVE_INFINITY && handle.leased) heartbeat.add(handle, leaseMs);
    return handle;
  }

  function conclude(
    layers: readonly string[],
    charges: readonly Charge[],
    cost: Cost | undefined,
    outcome: Outcome,
    from: Store,
  ): Admission {
    const shared = from === store;
    const admission = outcome.admitted
      ? keepAlive(
          new Handle({ layers, charges, cost, outcome, store: from, shared, report, ...handleServices }),
          charges,
        )
      : refusalOf(layers, charges, cost, outcome, shared);
    if (onDecision !== undefined) {
      try {
        const partitions = charges.map(({ key }, c) => ({ layer: layers[c] as string, key }));
        onDecision({ at: outcome.now, admission, cost, partitions });
      } catch (error) {
        report(error);
      }
    }
    return admission;
  }

  function decide<Answer>(
    charges: readonly Charge[],
    peek: boolean,
    answer: (outcome: Outcome, from: Store) => Answer,
  ): Answer | Promise<Answer> {
    const now = clock.now();
    function alone(error: unknown): Answer {
      report(error);
      local ??= memoryStore();
      return answer(local.decide(charges, now, peek) as Outcome, local);
    }
    let outcome: Outcome | Promise<Outcome>;
    try {
      outcome = store.decide(charges, now, peek);
    } catch (error) {
      return alone(error);
    }
    if (outcome instanceof Promise) return outcome.then((known) => answer(known, store), alone);
    return answer(outcome, store);
  }

  function check(cost: Cost | undefined): void {
    if (closed)
      throw new HeadgateError("limiter-closed", "This limiter has been closed and decides nothing more.");
    checkCost(cost);
  }

  function admitCaller(caller: Caller | undefined, told: boolean, cost: Cost | undefined) {
    check(cost);
    const { layers, charges } = chargesOf(caller, told, cost);
    return decide(charges, false, (outcome, from) => conclude(layers, charges, cost, outcome, from));
  }

  return {
    policy,
    report,

    admit: (caller, decision) => admitCaller(caller, true, decision?.cost),

    admitUnidentified: (decision) => admitCaller(undefined, false, decision?.cost),

    peek(caller, decision) {
      const cost = decision?.cost;
      check(cost);
      const { layers, charges } = chargesOf(caller, true, cost);
      return decide(charges, true, (outcome, from): Peek => {
        const shared = from === store;
        if (!outcome.admitted) return refusalOf(layers, charges, cost, outcome, shared);
        const limits = nameReadings(layers, charges, outcome);
        return { admitted: true, limits, tightest: findTightest(limits, cost), at: outcome.now, shared };
      });
    },

    reset(caller) {
      check(undefined);
      const now = clock.now();
      const { charges } = chargesOf(caller, true, undefined);
      local?.reset(charges, now);
      return store.reset(charges, now);
    },

    close() {
      closed = true;
      heartbeat.stop();
      return opened?.close?.();
    },
  };
}

function refusalOf(
  layers: readonly string[],
  charges: readonly Charge[],
  cost: Cost | undefined,
  outcome: Outcome,
  shared: boolean,
): Refused {
  const limits = nameReadings(layers, charges, outcome);
  return refuse({ limits, tightest: findTightest(limits, cost), at: outcome.now, shared });
}

/** A reporter that fails must not become the fault it reports. */
function guarded(report: (error: unknown) => void): (error: unknown) => void {
  return (error) => {
    try {
      report(error);
    } catch (failure) {
      console.error("headgate: onError failed:", failure);
    }
  };
}

const reportEveryMs = 60_000;
const reportedKinds = 100;

function reportOnConsole(): (error: unknown) => void {
  const last = new Map<string, number>();
  return (error) => {
    const kind = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    const now = Date.now();
    if (now - (last.get(kind) ?? Number.NEGATIVE_INFINITY) < reportEveryMs) return;
    if (last.size >= reportedKinds) last.clear();
    last.set(kind, now);
    console.error("headgate:", error);
  };
}

function warnOnConsole(warning: string): void {
  console.warn(`headgate: ${warning}`);
}
