import type { Admission, AppliedOverride, Known } from "../core/admission.ts";
import type { Clock } from "../core/clock.ts";
import type { Cost } from "../core/cost.ts";
import { appliedTo } from "../core/decision.ts";
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
import { notify } from "./reporting.ts";

/** The members of a change, without those that every change has. */
type Change = ChangedEvent extends infer Event
  ? Event extends unknown
    ? Omit<Event, "limiter" | keyof Moment>
    : never
  : never;

type Listeners = Required<LimiterObserver>;
type OfReservations = Required<Pick<ReservationServices, "settled" | "settledLocally" | "extended">>;

/** The observers of a limiter. Without observers, reporting allocates nothing. */
export interface Observing extends OfReservations {
  /** Whether there are observers. */
  readonly isObserved: boolean;
  /** Whether an observer wants the shadow's decisions. */
  readonly isShadowObserved: boolean;
  /** @returns a function that removes the observer. */
  add(observer: LimiterObserver): () => void;
  /** An estimate of the store's time, later than every event that this process knows. */
  storeNow(): Moment;
  /** The start time of a decision, for the duration that `decided` reports. */
  begin(): number;
  /**
   * @param own the original question.
   * @param counted the question that the reservation keeps; absent if the request was refused.
   * @param began the result of `begin`.
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
  /** @param counted the layers that the penalty was charged in; @param asked the same request under the limits of the policy. */
  penalised(asked: Question, counted: Question, cost: Cost, moment: Moment): void;
  overridden(partition: EventPartition, terms: OverrideTerms | undefined): void;
  overriddenByPrefix(target: PrefixTarget, terms: OverrideTerms | undefined): void;
  shadowed(event: ShadowEvent): void;
}

export interface ObservingOptions {
  /** The limiter's name. */
  readonly name: string;
  readonly clock: Clock;
  /** Whether the store has its own clock. */
  readonly isRemote: boolean;
  /** Whether limits of this layer are looked up for each caller. */
  readonly isLookedUp: (layer: string) => boolean;
  /** Receives errors that an observer throws. */
  readonly report: (error: unknown) => void;
}

/** The start time if there are no observers. */
const unobserved = -1;

export function createObserving({ name, clock, isRemote, isLookedUp, report }: ObservingOptions): Observing {
  /** Replaced, not changed: an observer may be removed while it is called. */
  let observers: readonly LimiterObserver[] = [];
  let lastId = 0;
  /** How far the store's clock is ahead of the clock of this process, at least. */
  let storeAheadMs = 0;

  function notifyAll<Kind extends keyof Listeners>(kind: Kind, event: Parameters<Listeners[Kind]>[0]): void {
    for (const observer of observers) notify(observer[kind] as (heard: typeof event) => void, event, report);
  }

  const storeNow = (): Moment => ({
    at: isRemote ? clock.now() + storeAheadMs + 1 : clock.now(),
    order: undefined,
  });

  /** The id of the decision that a later event refers to; absent if the decision was not observed. */
  const idOf = ({ decision }: Question) => (observers.length > 0 ? decision : undefined);

  function countedIn({ layers, charges }: Question): DecisionPartition[] {
    return charges.map(({ key, limits }, c) => {
      const layer = layers[c] as string;
      const isOwn = limits.plan === undefined && isLookedUp(layer);
      return { layer, key, plan: limits.plan, limits: isOwn ? limitsAsText(limits) : undefined };
    });
  }

  /** @param changeOf makes the change; called only if there are observers. */
  function changed(changeOf: () => Change, moment?: Moment): void {
    if (observers.length === 0) return;
    notifyAll("changed", { limiter: name, ...(moment ?? storeNow()), ...changeOf() });
  }

  return {
    get isObserved() {
      return observers.length > 0;
    },

    get isShadowObserved() {
      return observers.some(({ shadowed }) => shadowed !== undefined);
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
      observers = [...observers, one];
      return () => {
        observers = observers.filter((other) => other !== one);
      };
    },

    storeNow,

    begin: () => (observers.length > 0 ? performance.now() : unobserved),

    decided(own, counted, cost, ruling, admission, began) {
      if (observers.length === 0) return;
      lastId += 1;
      if (counted !== undefined) counted.decision = lastId;
      if (ruling.decidedBy === "store") storeAheadMs = ruling.outcome.now - clock.now();
      notifyAll("decided", {
        ...placeOfDecision(lastId, ruling.outcome),
        limiter: name,
        at: admission.at,
        admission,
        durationMs: began === unobserved ? 0 : performance.now() - began,
        cost,
        partitions: countedIn(own),
        prefixesBehind: prefixesBehind(ruling),
      });
    },

    known(known) {
      if (observers.length > 0) notifyAll("known", { limiter: name, at: known.at, known });
    },

    ended({ used, granted, question }) {
      if (observers.length === 0) return;
      notifyAll("ended", { limiter: name, at: clock.now(), used, granted, policy: question.policy ?? "" });
    },

    settled(book, adjustments, { now: at, order }) {
      const decision = idOf(book.question);
      if (decision === undefined) return;
      const used = { ...book.stated, ...usedIn(adjustments) };
      notifyAll("settled", {
        limiter: name,
        at,
        order,
        decision,
        used,
        ended: adjustments[0]?.ended === true,
      });
    },

    settledLocally(book) {
      const decision = idOf(book.question);
      if (decision === undefined) return;
      const used = { ...book.stated, ...book.used };
      notifyAll("settled", { limiter: name, ...storeNow(), decision, used, ended: true });
    },

    extended(book, cost, { outcome, decidedBy }) {
      const decision = idOf(book.question);
      if (decision === undefined) return;
      const { now: at, admitted } = outcome;
      const { order, asOf } = placeOfDecision(decision, outcome);
      notifyAll("extended", { limiter: name, at, order, asOf, decision, cost, admitted, decidedBy });
    },

    policyChanged: () => changed(() => ({ kind: "policy" })),
    wasReset: (question) => changed(() => ({ kind: "reset", partitions: partitionsOf(question) })),
    penalised: (asked, counted, cost, moment) =>
      changed(() => {
        const isCounted = ({ layer }: { layer: string }) => counted.layers.includes(layer);
        return {
          kind: "penalty",
          partitions: countedIn(asked).filter(isCounted),
          cost,
          overrides: appliedTo(asked)?.filter(isCounted),
        };
      }, moment),

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

    shadowed: (event) => notifyAll("shadowed", event),
  };
}

/** The overrides by prefix under which the request was made, where the store returned another for the partition. */
function prefixesBehind({ layers, charges, outcome }: Ruling): readonly AppliedOverride[] | undefined {
  if (outcome.overrides === undefined) return undefined;
  const behind = charges.map(({ byPrefix }, c) =>
    byPrefix === undefined || outcome.overrides?.[c] === undefined ? {} : { byPrefix },
  );
  return appliedTo({ layers, charges: behind });
}

function partitionsOf({ layers, charges }: Question): EventPartition[] {
  return charges.map(({ key }, c) => ({ layer: layers[c] as string, key }));
}
