import type { Admission, Known } from "../core/admission.ts";
import type { Clock } from "../core/clock.ts";
import type { Cost } from "../core/cost.ts";
import {
  type ChangedEvent,
  type DecisionPartition,
  type EventPartition,
  limitsAsText,
  type Moment,
  placeOfDecision,
  usedIn,
} from "../core/limiter-events.ts";
import { beginOverride, type OverrideTerms } from "../core/override.ts";
import type { Question, Ruling } from "../core/ruling.ts";
import type { PrefixTarget } from "../overriding/prefixes.ts";
import type { ReservationServices } from "../reservation/book.ts";
import type { ShadowEvent } from "../shadow/shadow.ts";
import type { LimiterObserver } from "./contract.ts";
import { told } from "./reporting.ts";

/** Without what every change has. */
type Change = ChangedEvent extends infer Event
  ? Event extends unknown
    ? Omit<Event, "limiter" | keyof Moment>
    : never
  : never;

type Listeners = Required<LimiterObserver>;
type OfReservations = Required<Pick<ReservationServices, "settled" | "settledUntold" | "extended">>;

/** Who observes a limiter, and what is reported to them. Without observers, nothing is allocated. */
export interface Observing extends OfReservations {
  /** Whether anybody observes. */
  readonly isObserved: boolean;
  /** Whether anybody observes the shadow. */
  readonly isShadowObserved: boolean;
  /** @returns ends it. */
  add(observer: LimiterObserver): () => void;
  /** What `decided` says of how long it took: when the caller asked. */
  begin(): number;
  /**
   * @param own as the caller asked.
   * @param counted what the reservation keeps; absent where the request was refused.
   * @param began as `begin` gave it.
   */
  decided(
    own: Question,
    counted: Question | undefined,
    cost: Cost | undefined,
    ruling: Ruling,
    admission: Admission,
    began: number,
  ): void;
  known(known: Known): void;
  ended(book: Parameters<OfReservations["settled"]>[0]): void;
  policyChanged(): void;
  wasReset(partitions: Question): void;
  penalised(partitions: Question, cost: Cost, moment: Moment): void;
  overridden(partition: EventPartition, terms: OverrideTerms | undefined): void;
  overriddenByPrefix(target: PrefixTarget, terms: OverrideTerms | undefined): void;
  shadowed(event: ShadowEvent): void;
}

export interface ObservingOptions {
  /** The limiter's name. */
  readonly name: string;
  readonly clock: Clock;
  /** Whether the store has a clock of its own. */
  readonly isRemote: boolean;
  /** Whether limits of this layer are looked up for each caller. */
  readonly isLookedUp: (layer: string) => boolean;
  /** Takes what an observer throws. */
  readonly report: (error: unknown) => void;
}

/** The duration of a decision that nobody observes. */
const unobserved = -1;

export function createObserving({ name, clock, isRemote, isLookedUp, report }: ObservingOptions): Observing {
  const observers = new Set<LimiterObserver>();
  /** The decisions that somebody observed, by the question that a reservation keeps. */
  const ids = new WeakMap<Question, number>();
  let lastId = 0;
  /** By how much the store's clock is ahead of this process's, at least. */
  let storeAheadMs = 0;

  function tell<Kind extends keyof Listeners>(kind: Kind, event: Parameters<Listeners[Kind]>[0]): void {
    for (const observer of observers) told(observer[kind] as (heard: typeof event) => void, event, report);
  }

  /** The store's time, as it was last read: after all that this process knows of. */
  const storeNow = (): Moment => ({
    at: isRemote ? clock.now() + storeAheadMs + 1 : clock.now(),
    order: undefined,
  });

  /** The decision that a later event is about; absent if nobody observes it. */
  const idOf = (question: Question) => (observers.size > 0 ? ids.get(question) : undefined);

  function countedIn({ layers, charges }: Question): DecisionPartition[] {
    return charges.map(({ key, limits }, c) => {
      const layer = layers[c] as string;
      const isOwn = limits.plan === undefined && isLookedUp(layer);
      return { layer, key, plan: limits.plan, limits: isOwn ? limitsAsText(limits) : undefined };
    });
  }

  /** @param changeOf made only where somebody observes. */
  function changed(changeOf: () => Change, moment?: Moment): void {
    if (observers.size === 0) return;
    tell("changed", { limiter: name, ...(moment ?? storeNow()), ...changeOf() });
  }

  return {
    get isObserved() {
      return observers.size > 0;
    },

    get isShadowObserved() {
      return [...observers].some(({ shadowed }) => shadowed !== undefined);
    },

    add(observer) {
      const one: LimiterObserver = {
        decided: (event) => observer.decided?.(event),
        known: (event) => observer.known?.(event),
        ended: (event) => observer.ended?.(event),
        settled: (event) => observer.settled?.(event),
        extended: (event) => observer.extended?.(event),
        changed: (event) => observer.changed?.(event),
        ...(observer.shadowed === undefined ? {} : { shadowed: (event) => observer.shadowed?.(event) }),
      };
      observers.add(one);
      return () => {
        observers.delete(one);
      };
    },

    begin: () => (observers.size > 0 ? performance.now() : unobserved),

    decided(own, counted, cost, ruling, admission, began) {
      if (observers.size === 0) return;
      lastId += 1;
      if (counted !== undefined) ids.set(counted, lastId);
      if (ruling.decidedBy === "store") storeAheadMs = ruling.outcome.now - clock.now();
      tell("decided", {
        ...placeOfDecision(lastId, ruling.outcome),
        limiter: name,
        at: admission.at,
        admission,
        durationMs: began === unobserved ? 0 : performance.now() - began,
        cost,
        partitions: countedIn(own),
      });
    },

    known(known) {
      if (observers.size > 0) tell("known", { limiter: name, at: known.at, known });
    },

    ended({ used, granted, question }) {
      if (observers.size === 0) return;
      tell("ended", { limiter: name, at: clock.now(), used, granted, policy: question.policy ?? "" });
    },

    settled(book, adjustments, { now: at, order }) {
      const decision = idOf(book.question);
      if (decision === undefined) return;
      const used = { ...book.stated, ...usedIn(adjustments) };
      tell("settled", { limiter: name, at, order, decision, used, ended: adjustments[0]?.ended === true });
    },

    settledUntold(book) {
      const decision = idOf(book.question);
      if (decision === undefined) return;
      const used = { ...book.stated, ...book.used };
      tell("settled", { limiter: name, ...storeNow(), decision, used, ended: true });
    },

    extended(book, cost, { outcome, decidedBy }) {
      const decision = idOf(book.question);
      if (decision === undefined) return;
      const { now: at, admitted } = outcome;
      const { order, asOf } = placeOfDecision(decision, outcome);
      tell("extended", { limiter: name, at, order, asOf, decision, cost, admitted, decidedBy });
    },

    policyChanged: () => changed(() => ({ kind: "policy" })),
    wasReset: (question) => changed(() => ({ kind: "reset", partitions: partitionsOf(question) })),
    penalised: (question, cost, moment) =>
      changed(() => ({ kind: "penalty", partitions: partitionsOf(question), cost }), moment),

    overridden(partition, terms) {
      const moment = storeNow();
      changed(() => {
        const begun = terms === undefined ? undefined : beginOverride(terms, moment.at);
        return { kind: "override", partition, limits: begun?.limits, until: begun?.until };
      }, moment);
    },

    overriddenByPrefix({ layer, prefix }, terms) {
      const moment = storeNow();
      changed(() => {
        const begun = terms === undefined ? undefined : beginOverride(terms, moment.at);
        return { kind: "prefix-override", layer, prefix, limits: begun?.limits, until: begun?.until };
      }, moment);
    },

    shadowed: (event) => tell("shadowed", event),
  };
}

function partitionsOf({ layers, charges }: Question): EventPartition[] {
  return charges.map(({ key }, c) => ({ layer: layers[c] as string, key }));
}
