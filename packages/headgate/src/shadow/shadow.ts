import type { Admission, Peek } from "../core/admission.ts";
import type { Clock } from "../core/clock.ts";
import type { Cost } from "../core/cost.ts";
import { AdmittedRequest, RefusedRequest } from "../core/decision.ts";
import type { DefinedPolicy, LayerOptions } from "../core/policy.ts";
import { free, type Question, type Ruling, unasked } from "../core/ruling.ts";
import type { Store } from "../core/store.ts";
import type { LayerChange, LivePolicy } from "../limiter/live-policy.ts";
import { createOverriding } from "../overriding/deciding.ts";
import { createKnownOverrides } from "../overriding/known-overrides.ts";
import type { ReservationServices } from "../reservation/book.ts";
import { createHeartbeat } from "../reservation/heartbeat.ts";
import { Reservation } from "../reservation/reservation.ts";
import { mintRid } from "../reservation/rid.ts";
import { createTally, type ShadowReport, type Tally } from "./report.ts";
import { localShadowStore, NotAsked, sharedShadowStore } from "./shadow-store.ts";
import { createSharedPlans } from "./shared-plans.ts";
import { Trial, type TrialServices } from "./trial.ts";

/** One decision of a shadow. */
export interface ShadowEvent {
  /** The name of the limiter. */
  readonly limiter: string;
  /** The shadow's answer, by the shadow's policy and counts. */
  readonly shadow: Peek;
  /** The limiter's answer. */
  readonly live: Admission;
  readonly cost: Cost | undefined;
  /** The partitions in the shadow's policy, layer by layer. They name callers: treat them as personal data. */
  readonly partitions: readonly {
    readonly layer: string;
    readonly key: string;
    /** The caller's plan, if the layer has plans. */
    readonly plan: string | undefined;
  }[];
}

export interface ShadowOptions<Caller> {
  /** The name of the limiter. */
  readonly limiter: string;
  readonly live: LivePolicy<Caller>;
  readonly store: Store;
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** Makes the candidate policy under this name, so that its partitions are separate from the live partitions. */
  readonly definePolicy: (name: string, layers: readonly LayerOptions<Caller>[]) => LivePolicy<Caller>;
  /** Whether the shared store is answering live decisions. */
  readonly isAnswering: () => boolean;
  /** Reports each kind of failure once. */
  readonly report: (error: unknown) => void;
  /** Whether an observer wants events. */
  readonly isObserved: () => boolean;
  readonly notify: (event: ShadowEvent) => void;
}

/**
 * A candidate policy that decides in addition to the policy in force. Only `set` may throw; nothing else throws,
 * rejects or is awaited.
 */
export interface Shadow<Caller> {
  readonly policy: DefinedPolicy<Caller>;
  /**
   * Replaces the candidate. The counts stay, and a new report begins.
   *
   * @throws HeadgateError for an invalid policy; then the previous candidate stays.
   */
  set(changes: readonly LayerChange<Caller>[]): void;
  /** Begins the trial of one request whose live question is known. */
  begin(question: Question, caller: Caller, cost: Cost | undefined): Trial;
  beginUnidentified(question: Question, cost: Cost | undefined): Trial;
  /** Begins the trial of one request that may be tried several times until it is admitted. */
  wait(caller: Caller, cost: Cost | undefined): WaitingTrial;
  /** Called when a live question is being sent to the store: the shadow's question is sent together with it. */
  ride(question: Question): void;
  penalise(caller: Caller, cost: Cost): void;
  /** @param layer resets only this layer. */
  reset(caller: Caller, layer: string | undefined): void;
  report(): ShadowReport;
  stop(): void;
}

/** The trial of a waiting request. It begins when the request is first tried. */
export interface WaitingTrial {
  of(question: Question): Trial;
  over(admission: Admission): void;
  /** Called if the request stopped waiting without an answer. */
  abandon(): void;
}

/** @throws HeadgateError for an invalid policy. */
export function createShadow<Caller>(
  options: ShadowOptions<Caller>,
  changes: readonly LayerChange<Caller>[],
): Shadow<Caller> {
  const { limiter, live, store, clock, timeoutMs, definePolicy, isAnswering, isObserved, notify } = options;
  /** `NotAsked` is not reported, because the failure of the store has been reported already. */
  const report = (error: unknown): void => {
    if (error !== undefined && !(error instanceof NotAsked)) options.report(error);
  };
  const plans = createSharedPlans(live, () => own.policy);
  // Names of limiters and layers cannot contain a slash.
  const own = definePolicy(`${limiter}/shadow`, plans.sharing(live.complete(changes, "setShadow")));
  live.allow(own.policy.units);
  const counts = store.remote
    ? sharedShadowStore({ store, clock, timeoutMs, isAnswering, takeBack })
    : localShadowStore(store, clock.now);
  const heartbeat = createHeartbeat(clock, report);
  const overriding = createOverriding({
    known: createKnownOverrides(1),
    storeOverrides: false,
    isRemote: store.remote,
    ledger: counts.ledger,
    memoryOf: own.memoryOf,
    mintRid,
    now: clock.now,
    report,
    ask: counts.ask,
  });
  const reservation: ReservationServices = {
    now: clock.now,
    report,
    units: live.units,
    decide: overriding.extend,
    holds: heartbeat.add,
    released: heartbeat.remove,
    mintRid,
  };
  let tally = createTally(limiter, own.policy, clock.now());
  /** The trials whose question has not been sent yet, by live question. */
  const riding = new WeakMap<Question, Trial>();

  /** The services of the current candidate: a later candidate has its own tally. */
  function servicesFor(counting: Tally): TrialServices {
    return {
      reservation,
      decide: (question, cost, conclude) => overriding.decide(question, cost, false, conclude),
      decided(ruling, answered, cost) {
        const refused = ruling.outcome.admitted ? undefined : new RefusedRequest(ruling, cost);
        counting.decided(ruling, answered, refused?.binding);
        if (isObserved()) notify(eventOf(limiter, ruling, refused, answered, cost));
      },
      undecided(error) {
        counting.undecided();
        report(error);
      },
      extended: counting.extended,
      failed: report,
    };
  }
  let services = servicesFor(tally);

  function takeBack(ruling: Ruling): void {
    if (ruling.hold === undefined || ruling.hold.seq === 1)
      void new Reservation(ruling, ruling, undefined, reservation).end("nothing");
  }

  function begin(question: Question, caller: Caller, cost: Cost | undefined, waits: boolean): Trial {
    const trial = new Trial(
      plans.during(question, () => own.questions.for(caller, cost)),
      cost,
      services,
      waits,
    );
    if (store.remote) riding.set(question, trial);
    return trial;
  }

  /** Passes on an action about a caller, such as a reset. */
  async function to(caller: Caller, act: (question: Question) => void | Promise<void>): Promise<void> {
    try {
      const question = own.questions.for(caller, undefined);
      await act(question instanceof Promise ? await question : question);
    } catch (error) {
      report(error);
    }
  }

  return {
    get policy() {
      return own.policy;
    },

    set(another) {
      own.replace(plans.sharing(live.complete(another, "setShadow")));
      live.allow(own.policy.units);
      tally = createTally(limiter, own.policy, clock.now());
      services = servicesFor(tally);
    },

    begin: (question, caller, cost) => begin(question, caller, cost, false),

    beginUnidentified(question, cost) {
      const trial = new Trial(own.questions.forUnidentified(cost), cost, services, false);
      if (store.remote) riding.set(question, trial);
      return trial;
    },

    wait(caller, cost) {
      let trial: Trial | undefined;
      return {
        of(question) {
          trial ??= begin(question, caller, cost, true);
          return trial;
        },
        over(admission) {
          if (!admission.admitted) trial?.concludes(admission);
        },
        abandon: () => trial?.abandon(),
      };
    },

    ride(question) {
      riding.get(question)?.ask();
      riding.delete(question);
    },

    penalise(caller, cost) {
      void to(caller, (question) => {
        const asked = free(question);
        const ruling = unasked(asked, counts.ledger, clock.now());
        return new Reservation(ruling, asked, undefined, reservation).end(cost);
      });
    },

    reset(caller, layer) {
      void to(caller, ({ layers, charges }) =>
        counts.reset(charges.filter((_, c) => layer === undefined || layers[c] === layer)),
      );
    },

    report: () => tally.report(),
    stop: heartbeat.stop,
  };
}

function eventOf(
  limiter: string,
  ruling: Ruling,
  refused: RefusedRequest | undefined,
  live: Admission,
  cost: Cost | undefined,
): ShadowEvent {
  const { layers, charges } = ruling;
  const partitions = charges.map(({ key, limits }, c) => ({
    layer: layers[c] as string,
    key,
    plan: limits.plan,
  }));
  const shadow: Peek = refused ?? new AdmittedRequest(ruling, cost);
  return { limiter, shadow, live, cost, partitions };
}
