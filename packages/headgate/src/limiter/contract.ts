import type { Admission, AppliedOverride, Known, Peek } from "../core/admission.ts";
import type { Clock } from "../core/clock.ts";
import type { Cost } from "../core/cost.ts";
import type {
  ChangedEvent,
  DecisionPartition,
  DecisionPlace,
  ExtendedEvent,
  SettledEvent,
} from "../core/limiter-events.ts";
import type { LayerOptions, Policy } from "../core/policy.ts";
import type { Store } from "../core/store.ts";
import type { PrefixOverride, PrefixTarget } from "../overriding/prefixes.ts";
import type {
  BlockOptions,
  OverrideOptions,
  OverrideTarget,
  PrefixOverrideOptions,
} from "../overriding/terms.ts";
import type { OutageEvent, StoreStatus } from "../remote/index.ts";
import type { ShadowReport } from "../shadow/report.ts";
import type { ShadowEvent } from "../shadow/shadow.ts";
import type { LayerChange } from "./live-policy.ts";
import type { WaitOptions } from "./waiting.ts";

/** In milliseconds. */
export interface Timeouts {
  /**
   * How long the first decisions of a process wait for a store that has never answered, even if it refuses connections:
   * from 0 to 60,000 ms; 5,000 by default. After that, the outage policies decide. The time begins when the store's
   * driver is loaded; on a busy machine, loading may take equally long.
   *
   * A store that has answered before counts as down after the same time without any answer. Until then it counts as
   * slow, and `local` admits requests at the rate of its share.
   */
  connectMs?: number;
  /**
   * How long a shared store may take to answer a call: from 1 to 60,000 ms; 250 by default. After that the outage
   * policies of the layers decide, and the request is charged once, even if the store answers late or its reply is
   * lost. Plain requests, which have no id and hold nothing, may be charged twice if the reply is lost.
   */
  storeMs?: number;
  /**
   * How long the `plan` of a layer may take to look a caller up: from 1 to 60,000 ms; 250 by default. After that
   * the layer's default plan applies.
   */
  lookupMs?: number;
}

export interface LimiterOptions<Caller> {
  /**
   * The name of the limiter: at most 100 lower-case letters, digits, `.`, `_` and `-`. It keeps this limiter's counts apart from
   * those of other limiters, on every store. Limiters of the same name in one store share their counts.
   */
  name: string;
  /** The layers that guard the endpoint. A request is charged in all layers that apply to it, or in none. */
  layers: readonly LayerOptions<Caller>[];
  /** Units that costs may name although no limit counts them, such as units that a later policy will count. */
  units?: readonly string[];
  /** A store URI or a store. Default: `memory://`, where this process counts for itself. */
  store?: string | Store;
  /** Time limits of calls to a shared store and of lookups. */
  timeouts?: Timeouts;
  /** Default: the wall clock. It may run backwards; the limiter does not. */
  clock?: Clock;
  /** Called after every decision of `admit`, for logs and metrics. Errors that it throws go to `onError`. */
  onDecision?: (event: DecisionEvent) => void;
  /**
   * Called when the limiter itself has an error: a store cannot answer, a plan cannot be looked up (the first of
   * several failures in a row), a key function throws or returns an invalid key (once for each kind). The request
   * is still decided. Default: a line on the console, at most one a minute for each kind.
   */
  onError?: (error: unknown) => void;
  /**
   * Called when the outage policies take over from a shared store that does not answer, when the store is tried
   * again, and when it decides again. Default: a line on the console when an outage begins and when it ends.
   */
  onOutage?: (event: OutageEvent) => void;
  /**
   * Called for each probable mistake in the policy, when the limiter is made; and once, for the first request to
   * which no layer applies. Default: the console.
   */
  onWarning?: (warning: string) => void;
}

export interface DecisionOptions<Unit extends string = string> {
  /** What the request costs, by unit; one request by default. */
  cost?: Cost<Unit>;
}

/** A request with an id, so that it is charged and answered once, however often it is sent. */
export interface ClaimOptions<Unit extends string = string> extends DecisionOptions<Unit> {
  /**
   * The id of the request, such as that of a chat message or an `Idempotency-Key`: 1 to 256 characters. It belongs to
   * the caller in the first layer: other callers may use the same id. If that layer does not apply, the id is ignored.
   */
  id: string;
  /**
   * Distinguishes the body of the request from others, such as a keyed hash of it: up to 256 characters. A request with
   * the same id and another fingerprint is a conflict. Default: none, and bodies are not compared.
   */
  fingerprint?: string;
  /**
   * A reference to the answer while it is in progress, such as the id of its stream: up to 256 bytes. Requests with the
   * same id get it. `end` may replace it.
   */
  result?: string;
}

export interface PeekOptions<Unit extends string = string> extends DecisionOptions<Unit> {
  /** Answer for this layer alone. */
  layer?: string;
}

/** One decision of `admit`. */
export interface DecisionEvent extends DecisionPlace {
  /** The name of the limiter that decided. */
  readonly limiter: string;
  /** When, by the limiter's clock: milliseconds since 1970-01-01T00:00Z. */
  readonly at: number;
  readonly admission: Admission;
  /** How long it took, with the store's answer: milliseconds, by the process's own clock. */
  readonly durationMs: number;
  readonly cost: Cost | undefined;
  /** The caller's partitions, layer by layer. They name callers: treat them as personal data. */
  readonly partitions: readonly DecisionPartition[];
  /**
   * The overrides by prefix under which the request was made, in partitions that turned out to be blocked themselves. The
   * limits of the refusal are those of these overrides.
   */
  readonly prefixesBehind?: readonly AppliedOverride[] | undefined;
}

/** A request whose id was already known: see `Limiter.admit`. */
export interface KnownEvent {
  /** The name of the limiter. */
  readonly limiter: string;
  /** When, by the limiter's clock: milliseconds since 1970-01-01T00:00Z. */
  readonly at: number;
  readonly known: Known;
}

/** The state of a limiter in this process. */
export interface LimiterStatus extends StoreStatus {
  /**
   * Now, by the clock of the events: milliseconds since 1970-01-01T00:00Z. An estimate if the store has its own clock.
   */
  readonly at: number;
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
  /** The total that was granted, by unit: it could use this much without an extension. */
  readonly granted: Cost;
  /** The hash of the policy that admitted it. */
  readonly policy: string;
}

/** Observes a limiter, for logs and metrics. Errors that it throws go to `onError`. */
export interface LimiterObserver {
  /** Called after every decision of `admit`. */
  decided?(event: DecisionEvent): void;
  /** Called instead of `decided` for a request whose id was already known. */
  known?(event: KnownEvent): void;
  /** Called once a reservation has ended. */
  ended?(event: EndEvent): void;
  /**
   * Called once the store has recorded what a reservation has used so far, or its end. Not called if that changes
   * nothing.
   */
  settled?(event: SettledEvent): void;
  /** Called after every extension, granted or refused. */
  extended?(event: ExtendedEvent): void;
  /** Called when this process has changed the policy, or has overridden, reset or penalised a caller. */
  changed?(event: ChangedEvent): void;
  /** Called after every decision of the shadow, if `setShadow` has set one. */
  shadowed?(event: ShadowEvent): void;
}

/** Decides who may pass. Made by `createLimiter`. */
export interface Limiter<Caller, Unit extends string = string> {
  readonly name: string;
  /** The policy in force: see `setPolicy`. */
  readonly policy: Policy<Caller>;
  /**
   * Decides a request that has an id, and claims the id in the same step. Of all requests of a caller with the same id,
   * one is admitted and charged. The others get `known`, before any limit is checked and without a charge: the first is
   * `running` or `done`, or had another fingerprint (`conflict`).
   *
   * The id is known while the reservation is held, and for 24 hours after it has ended. `end("nothing")` frees it. If
   * the process dies, the next request with the id takes over after the lease of 30 seconds: its requests are not
   * charged again, and its other units are held again. The fourth attempt is charged as a new request.
   *
   * Keep a unique id in your database too: a store may lose its last second, and forgets the id after 24 hours.
   *
   * @throws HeadgateError `option-invalid`; `store-invalid` if the store cannot keep claims; otherwise as without an
   * id.
   */
  admit(
    caller: Caller,
    options: ClaimOptions<Unit>,
  ): Admission<Unit> | Known | Promise<Admission<Unit> | Known>;
  /**
   * Decides one request, and charges it if it is admitted. With a memory store the answer comes without a promise,
   * unless a plan is looked up; `await` accepts both.
   *
   * @throws HeadgateError `cost-invalid`, or `limiter-closed`. Other errors go to `onError`.
   */
  admit(caller: Caller, options?: DecisionOptions<Unit>): Admission<Unit> | Promise<Admission<Unit>>;
  /**
   * Admits a request with an id as soon as it may pass, and claims the id in the same step, like `admit`. If the id is
   * known when its turn comes, the request takes no place and is charged nothing.
   *
   * @throws HeadgateError as without an id, and as `admit` with one. Always as a rejection.
   */
  wait(caller: Caller, options: ClaimOptions<Unit> & WaitOptions): Promise<Admission<Unit> | Known>;
  /**
   * Admits a request as soon as it may pass, in a fair queue. Requests for the same partitions are served in order;
   * different partitions take turns, by units. Use it for jobs and for calls to other services. A server should refuse
   * people's requests instead. Each attempt is a decision event. At most 1,000 callers wait at once.
   *
   * @param options the cost, `maxWaitMs` (60,000 by default) and a `signal` that ends the wait.
   * @returns the admission; or the refusal, at once, if its wait for a window is longer than the rest of `maxWaitMs`, or
   *   if no wait helps. Holders may end at any time, so they are waited for. A caller who is still in line after `maxWaitMs` is tried one last time.
   * @throws HeadgateError `cost-invalid`, `option-invalid`, `queue-full` or `limiter-closed`; the signal's reason
   *   once it is aborted. Always as a rejection.
   */
  wait(caller: Caller, options?: DecisionOptions<Unit> & WaitOptions): Promise<Admission<Unit>>;
  /**
   * Charges a caller more, even beyond the quota, in every layer that applies: for actions that are worse than a
   * request, such as a wrong password. It admits no request, and is not a decision event.
   *
   * While the store cannot answer, the charge is counted in this process by the outage policy `local`, and sent to
   * the store afterwards.
   *
   * @param cost by unit; a unit that is not named is not charged. One request by default.
   * @throws HeadgateError `cost-invalid`, or `limiter-closed`. A store that cannot be reached is reported, not
   *   thrown.
   */
  penalise(caller: Caller, cost?: Cost<Unit>): void | Promise<void>;
  /**
   * Returns what `admit` would answer now; with `layer`, for that layer alone. Charges nothing, and is not a
   * decision event.
   */
  peek(caller: Caller, options?: PeekOptions<Unit>): Peek | Promise<Peek>;
  /**
   * Gives a caller the whole quota back, in every layer that applies (even in layers that the caller shares with
   * others), or only in `layer`. If a shared store cannot be reached, rejects with the reason, and nothing has changed.
   *
   * @throws HeadgateError `option-invalid` for a layer that does not apply; `limiter-closed`.
   */
  reset(caller: Caller, options?: OverrideTarget): void | Promise<void>;
  /**
   * Refuses a caller, whatever quota is left: for `forMs`, until `until`, or permanently. Every process applies it from
   * its next call to the store. Refused requests are charged in no layer. It replaces the previous block or override,
   * and `reset` keeps it.
   *
   * It blocks one layer: the first that applies to the caller, unless `layer` names another. All callers with the same
   * key there are refused.
   *
   * @throws HeadgateError `option-invalid`; `store-invalid` if the store keeps no overrides; `store-full` beyond
   *   100,000 in memory; `limiter-closed`. Rejects with the reason if a shared store cannot be reached: then it may not
   *   have been done.
   */
  block(caller: Caller, options?: BlockOptions): void | Promise<void>;
  /** The same as `endOverride`. */
  unblock(caller: Caller, options?: OverrideTarget): void | Promise<void>;
  /**
   * Gives a caller other limits: for `forMs`, until `until`, or until `endOverride`. Every process applies them
   * from its next call to the store. They replace the caller's own limits in the units that they name, also those
   * of a `blocked` plan. What was spent counts under the new limits, and afterwards under the old ones. It replaces
   * the previous block or override, and `reset` keeps it.
   *
   * It overrides one layer, chosen as for `block`. Admissions list overrides in force in `overrides`.
   *
   * @throws HeadgateError `limit-unreadable` or `limit-invalid` for the limits; otherwise as `block`.
   */
  override(caller: Caller, options: OverrideOptions): void | Promise<void>;
  /**
   * Ends a block or override of a caller in one layer, chosen as for `block`: the caller's own limits apply again.
   * Another process that has just refused the caller may continue to for a second.
   *
   * @throws HeadgateError as `block`.
   */
  endOverride(caller: Caller, options?: OverrideTarget): void | Promise<void>;
  /**
   * Gives other limits to every caller whose key in a layer begins with a prefix: `{ layer: "address", prefix:
   * "203.0.113." }`. It applies in this process once the promise resolves, and within two seconds in every other
   * process with the limiter's name. A process that cannot read the store keeps the overrides that it knows. A block or
   * override of the individual caller takes precedence, and a longer prefix takes precedence over a shorter one. What
   * was spent is kept. A new override replaces the one with the same prefix, and `reset` keeps it. A limiter has at
   * most 1,000.
   *
   * @param options as for `override`; `limits` may be `"blocked"`.
   * @throws HeadgateError `option-invalid`, also for an empty prefix; `limit-unreadable` or `limit-invalid`;
   *   `store-full` beyond 1,000; `store-invalid` if the store does not support them; `limiter-closed`. Rejects with the
   *   reason if a shared store cannot be reached: then it may not have been done.
   */
  overridePrefix(target: PrefixTarget, options: PrefixOverrideOptions): void | Promise<void>;
  /**
   * Ends the override of exactly this prefix. Overrides of shorter and longer prefixes stay. It works even if its layer
   * has left the policy.
   *
   * @throws HeadgateError as `overridePrefix`.
   */
  endPrefixOverride(target: PrefixTarget): void | Promise<void>;
  /**
   * Returns the overrides by prefix in force, read from the store.
   *
   * @throws HeadgateError as `overridePrefix`.
   */
  prefixOverrides(): readonly PrefixOverride[] | Promise<readonly PrefixOverride[]>;
  /**
   * Replaces the policy, for all following requests in this process. What was spent counts under the new limits, as if
   * they had always been in force, and holds stay. An invalid policy changes nothing.
   *
   * ```ts
   * limiter.setPolicy([{ name: "user", limits: "10/minute; 60/hour" }, { name: "ip", limits: "30/minute" }]);
   * ```
   *
   * @param layers all of them, in order. `key`, `plan`, and `limits` as a function may be left out if the layer of that
   *   name has them already, so that the rest can come from a file. A layer that is not named no longer applies. Costs
   *   may still name units that earlier policies counted.
   * @throws HeadgateError for a policy that cannot be used, naming layer and value; `limiter-closed`.
   */
  setPolicy(layers: readonly LayerChange<Caller>[]): void;
  /**
   * Lets a second policy decide each request as well, on separate counts. It refuses nobody: `shadowReport` says
   * what it would have refused, and observers get each of its decisions (`shadowed`). No live answer depends on it,
   * or waits for it.
   *
   * ```ts
   * limiter.setShadow([{ name: "user", limits: "3/minute; 40/hour" }, { name: "ip", limits: "30/minute" }]);
   * ```
   *
   * It replaces a shadow that is set already: the report starts again, and the counts stay. An invalid policy
   * changes nothing.
   *
   * @param layers as for `setPolicy`: parts that are left out are taken from the policy in force.
   * @throws HeadgateError for a policy that cannot be used, naming layer and value; `limiter-closed`.
   */
  setShadow(layers: readonly LayerChange<Caller>[]): void;
  /** Ends the shadow. @returns its last report; `undefined` if none is set. */
  endShadow(): ShadowReport | undefined;
  /** What the shadow has decided in this process since it was set; `undefined` if none is set. */
  shadowReport(): ShadowReport | undefined;
  /**
   * Resolves once a shared store decides: it has answered within `timeouts.storeMs`, however long the connection
   * took. The first decisions wait for that by themselves, for `timeouts.connectMs`; await it to listen only then.
   * It may be called at any time, and again. A memory store is always ready.
   *
   * @param options.timeoutMs how long to wait, in milliseconds from 1 to 3,600,000; 10,000 by default. The limiter
   *   decides meanwhile, and afterwards.
   * @throws HeadgateError `store-unavailable` with the last reason, after that time (for operators: it may name
   *   hosts); `limiter-closed`; `option-invalid`. Always as a rejection.
   */
  ready(options?: { timeoutMs?: number }): Promise<void>;
  /**
   * Reports decisions and ends to an observer from now on. `headgate/otel` makes metrics of them.
   *
   * @returns a function that stops it.
   */
  observe(observer: LimiterObserver): () => void;
  /** The state of the store, as this process sees it: for readiness and metrics. */
  status(): LimiterStatus;
  /**
   * Closes a store that was opened from a URI. Do not use the limiter afterwards. Changes not yet sent to an
   * unreachable store are lost and reported to `onError`.
   */
  close(): void | Promise<void>;
}
