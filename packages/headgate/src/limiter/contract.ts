import type { Admission, Peek } from "../core/admission.ts";
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
   * Gives other limits to every caller whose key in a layer begins with a prefix: `{ layer: "address", prefix: "203.0.113." }`. It is in force in
   * this process once this resolves, and within two seconds in every other process of the limiter's name; until then, and while the store
   * cannot be read, what a process knows holds. A block or override of the caller's own goes before it, and a longer prefix before a shorter one.
   * Nothing is forgotten. It replaces the one of the same prefix, and `reset` leaves it. A limiter has at most 1,000.
   *
   * @param options as `override` takes them; `limits` may be `"blocked"`.
   * @throws HeadgateError `option-invalid`, also for an empty prefix; `limit-unreadable` or `limit-invalid`; `store-full` beyond 1,000;
   *   `store-invalid` where the store keeps none; `limiter-closed`. Rejects with the reason where a shared store cannot be reached: then
   *   it may not have been done.
   */
  overridePrefix(target: PrefixTarget, options: PrefixOverrideOptions): void | Promise<void>;
  /**
   * Ends what `overridePrefix` decided for exactly this prefix. Shorter and longer ones stay.
   *
   * @throws HeadgateError as `overridePrefix`.
   */
  endPrefixOverride(target: PrefixTarget): void | Promise<void>;
  /**
   * The overrides by prefix that are in force, as the store has them now.
   *
   * @throws HeadgateError as `overridePrefix`.
   */
  prefixOverrides(): readonly PrefixOverride[] | Promise<readonly PrefixOverride[]>;
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
