import {
  type Admission,
  type Admitted,
  type Cost,
  createLimiter,
  type LayerChange,
  type Limiter,
  type Refused,
} from "headgate";
import type { DecisionLine, ExtendedLine, OverrideLine, PenaltyLine, SettledLine } from "headgate/log";
import { layersOf, type PolicyDocument } from "headgate/policy-document";
import { InputError } from "./input-error.ts";
import { type Model, modelOf } from "./model.ts";
import { type ReplayClock, replayClock } from "./replay-clock.ts";
import { type ReplayStore, replayStore } from "./replay-store.ts";
import { type Course, courseKey, type Event, type StoreTraffic, type Traffic } from "./traffic.ts";

/** A decision of the log, replayed. */
export interface Replayed {
  readonly line: DecisionLine;
  readonly admitted: boolean;
  readonly reason?: Refused["reason"];
  /** The limit with the longest wait. */
  readonly limit?: string;
  /** The layer of that limit. */
  readonly layer?: string;
  readonly waitMs: number;
  readonly waitsFor?: Refused["waitsFor"];
  /** For an admitted request: what is left of its tightest limit. */
  readonly left?: number;
  /**
   * What an admitted request uses in this replay, by unit. It is the use in the log or, if the log refused the request,
   * the use that the model assumes. The replay sets it as it runs.
   */
  used: Cost;
  /** Whether the request was cut short, because this policy refuses an extension that the log granted. */
  cut: boolean;
}

export interface ReplayOutcome {
  /** The decisions, in the order of the replay. */
  readonly decisions: readonly Replayed[];
  /** The number of extensions with another answer than in the log. */
  readonly extensionsDiffering: number;
  /** Descriptions of what could not be replayed exactly, with the number of times. */
  readonly notes: ReadonlyMap<string, number>;
  /** The assumptions about requests that the log refused. */
  readonly model: Model;
  /** Returns what an admitted request of the log used, by unit. */
  usedInLog(line: DecisionLine): Cost;
}

/** A caller in the log: pseudonyms, plans and limits by layer. */
type Logged = ReadonlyMap<string, DecisionLine["partitions"][number]>;

/**
 * Decides the traffic of a log again, with the library's limiter and memory store, in the log's order and at the log's
 * times.
 *
 * @param policy replaces the policies in the log. Default: each decision is made under its original policy
 * @throws InputError if the policy cannot be applied to this log
 */
export function replay(traffic: Traffic, policy?: PolicyDocument): ReplayOutcome {
  const notes = new Map<string, number>();
  const model = modelOf(traffic);
  const results = traffic.stores.map((store) => replayStoreTraffic(traffic, store, policy, model, notes));
  return {
    decisions: results.flatMap(({ decisions }) => decisions),
    extensionsDiffering: results.reduce((sum, { extensionsDiffering }) => sum + extensionsDiffering, 0),
    notes,
    model,
    usedInLog: ({ process, id, cost }) =>
      traffic.courses.get(courseKey(process, id))?.used ?? model.spentBy(cost),
  };
}

function replayStoreTraffic(
  traffic: Traffic,
  { events }: StoreTraffic,
  policy: PolicyDocument | undefined,
  model: Model,
  notes: Map<string, number>,
) {
  const clock = replayClock();
  const note = (what: string) => notes.set(what, (notes.get(what) ?? 0) + 1);
  const store = replayStore(Math.max(1_000_000, 4 * traffic.partitions));
  const first = policy ?? policyOf(traffic, hashOf(events.find((event) => hashOf(event) !== undefined)));
  const limiter = createLimiter<Logged>({
    name: traffic.limiter,
    store,
    clock,
    layers: layersFor(traffic, first),
    units: [...new Set([...traffic.units, ...(first.units ?? [])])],
    onError: (error) => note(error instanceof Error ? error.message : String(error)),
    onWarning() {},
  });
  const one = new StoreReplay(traffic, limiter, store, clock, policy === undefined, model, note);
  for (const event of events) {
    const at = one.timeOf(event);
    one.endSupposed(at);
    clock.moveTo(at);
    one.apply(event);
  }
  void limiter.close();
  return { decisions: one.decisions, extensionsDiffering: one.extensionsDiffering };
}

/** An override by prefix, of a single partition. */
interface ByPrefix {
  readonly layer: string;
  readonly prefix: string;
  readonly limits: string;
  readonly until: number;
}

/** Replays the traffic of one store. */
class StoreReplay {
  readonly decisions: Replayed[] = [];
  extensionsDiffering = 0;
  readonly #open = new Map<string, { admission: Admitted; replayed: Replayed; line: DecisionLine }>();
  /** Requests that the log refused and the replay admitted, in the order of their assumed ends. */
  readonly #supposed: { admission: Admitted; used: Cost; at: number }[] = [];
  #nextSupposed = 0;
  /** The overrides by prefix that are in force, by their terms. */
  readonly #prefixes = new Map<string, ByPrefix>();
  /** The override in force in each partition, as of its last decision. */
  readonly #overrides = new Map<string, string>();
  readonly #traffic: Traffic;
  readonly #limiter: Limiter<Logged>;
  readonly #store: ReplayStore;
  readonly #clock: ReplayClock;
  readonly #follows: boolean;
  readonly #model: Model;
  readonly #note: (what: string) => void;
  #hash: string | undefined;

  /** @param follows whether each decision is made under its original policy */
  constructor(
    traffic: Traffic,
    limiter: Limiter<Logged>,
    store: ReplayStore,
    clock: ReplayClock,
    follows: boolean,
    model: Model,
    note: (what: string) => void,
  ) {
    this.#traffic = traffic;
    this.#limiter = limiter;
    this.#store = store;
    this.#clock = clock;
    this.#follows = follows;
    this.#model = model;
    this.#note = note;
  }

  timeOf(event: Event): number {
    return this.#follows && "asOf" in event ? (event.asOf?.at ?? event.at) : event.at;
  }

  apply(event: Event): void {
    if (event.type === "policy") this.#follow(event.hash);
    else if (event.type === "decision") this.#decide(event);
    else if (event.type === "settled") this.#settle(event);
    else if (event.type === "extended") this.#extend(event);
    else if (event.type === "override") this.#override(event);
    else {
      const caller = callerOf(event.partitions);
      if (event.type === "penalty") {
        this.#putPrefixesInForce(event);
        void this.#limiter.penalise(caller, this.#countedIn(event.cost));
      } else for (const { layer } of event.partitions) this.#reset(caller, layer);
    }
  }

  #reset(caller: Logged, layer: string): void {
    if (this.#hasLayer(layer)) void this.#limiter.reset(caller, { layer });
  }

  /** Ends requests whose assumed end is before this time. */
  endSupposed(now: number): void {
    for (;;) {
      const next = this.#supposed[this.#nextSupposed];
      if (next === undefined || next.at > now) return;
      this.#nextSupposed += 1;
      this.#clock.moveTo(next.at);
      void next.admission.end(next.used);
    }
  }

  /** Applies a policy of the log, even one that decides nothing: its limits are remembered under the next policy. */
  #follow(hash: string): void {
    if (!this.#follows || hash === this.#hash) return;
    this.#hash = hash;
    this.#limiter.setPolicy(layersFor(this.#traffic, policyOf(this.#traffic, hash)) as LayerChange<Logged>[]);
  }

  #decide(line: DecisionLine): void {
    this.#follow(line.policy);
    const caller = callerOf(line.partitions);
    this.#putPrefixesInForce(line);
    // If the process decided by itself, the line does not name every override in the store.
    if (line.by !== "outage-policy" && line.by !== "policy") this.#overrideAs(line, caller);
    const key = courseKey(line.process, line.id);
    const course = this.#traffic.courses.get(key);
    const until = this.#livesUntil(line.process, course);
    this.#store.nextLivesUntil = until;
    const admission = this.#limiter.admit(caller, line.cost === undefined ? {} : { cost: line.cost });
    // This store and the plans from the log are synchronous, so `admit` returned no promise.
    const replayed = replayedOf(line, admission as Admission);
    this.decisions.push(replayed);
    if (!(admission as Admission).admitted) return;
    const admitted = admission as Admitted;
    if (line.admitted) {
      replayed.used = course?.used ?? this.#model.spentBy(line.cost);
      this.#open.set(key, { admission: admitted, replayed, line });
      this.#forgetAfter(until, admitted);
      return;
    }
    replayed.used = this.#model.supposedFor(line.cost);
    if (!admitted.holds) return;
    this.#supposed.push({
      admission: admitted,
      used: replayed.used,
      at: this.timeOf(line) + this.#model.heldMs,
    });
  }

  #settle({ process, decision, used, ended }: SettledLine): void {
    const key = courseKey(process, decision);
    const open = this.#open.get(key);
    if (open === undefined) return;
    const { admission, replayed } = open;
    const stated = replayed.cut ? atMost(used, admission.granted) : used;
    replayed.used = stated;
    if (!ended) {
      void admission.report(stated);
      return;
    }
    this.#open.delete(key);
    void admission.end(stated);
  }

  #extend(line: ExtendedLine): void {
    const key = courseKey(line.process, line.decision);
    const open = this.#open.get(key);
    if (open === undefined || open.replayed.cut) return;
    const until = this.#livesUntil(line.process, this.#traffic.courses.get(key));
    this.#store.nextLivesUntil = until;
    const { admitted } = open.admission.extend(line.cost) as { admitted: boolean };
    if (line.by !== "outage-policy" && admitted !== line.admitted) this.extensionsDiffering += 1;
    if (line.admitted && !admitted) open.replayed.cut = true;
  }

  /** Returns when the last heartbeat of a request was sent, according to the log. */
  #livesUntil(process: string, course: Course | undefined): number {
    return course === undefined || course.endedAt !== undefined
      ? Number.POSITIVE_INFINITY
      : (this.#traffic.seenAt.get(process) ?? 0);
  }

  /** Stops the heartbeat of a request whose process ended before it. The store no longer accepts its calls. */
  #forgetAfter(livesUntil: number, admission: Admitted): void {
    if (!Number.isFinite(livesUntil)) return;
    const inMs = Math.max(0, livesUntil - this.#clock.now()) + 1;
    this.#clock.after?.(inMs, () => {
      if (admission.holds) void admission.end("nothing");
    });
  }

  /**
   * Applies the overrides by prefix that a line names, and ends those of earlier lines. The log has pseudonyms, which
   * do not show a key's prefix. Each override is therefore applied to the line's own partition, with its whole key as
   * the prefix.
   */
  #putPrefixesInForce({ partitions, overrides = [], at }: DecisionLine | PenaltyLine): void {
    const named = new Map<string, ByPrefix>();
    for (const { layer, limits, until, prefix } of overrides) {
      const partition = partitions.find((one) => one.layer === layer)?.partition;
      if (prefix === undefined || partition === undefined || !this.#hasLayer(layer)) continue;
      const end = until ?? Number.POSITIVE_INFINITY;
      named.set(`${layer} ${partition} ${limits} ${end}`, { layer, prefix: partition, limits, until: end });
    }
    for (const [terms, { layer, prefix, until }] of this.#prefixes) {
      if (named.has(terms)) continue;
      this.#prefixes.delete(terms);
      // An expired override cannot be ended after its layer is gone.
      if (until > this.#clock.now()) this.#tryTo(() => this.#limiter.endPrefixOverride({ layer, prefix }));
    }
    for (const [terms, { limits, ...override }] of named) {
      if (this.#prefixes.has(terms)) continue;
      // A process compares the end with its own clock, so a line can name an override that has ended by the store's clock.
      const until = Math.max(override.until, at + 1);
      this.#prefixes.set(terms, { ...override, limits, until });
      const end = Number.isFinite(until) ? { until } : {};
      this.#tryTo(() =>
        this.#limiter.overridePrefix({ layer: override.layer, prefix: override.prefix }, { limits, ...end }),
      );
    }
  }

  /** Applies the overrides of single partitions that the decision names, including those set by another process. */
  #overrideAs(line: DecisionLine, caller: Logged): void {
    for (const { layer, partition } of line.partitions)
      this.#setOverride(
        caller,
        layer,
        partition,
        line.overrides?.find((one) => one.layer === layer && one.prefix === undefined),
      );
  }

  /**
   * Applies an override that was set or ended between two decisions, because it affects what the partition remembers.
   */
  #override({ layer, partition, limits, until = null }: OverrideLine): void {
    const caller = callerOf([{ layer, partition }]);
    this.#setOverride(caller, layer, partition, limits === undefined ? undefined : { limits, until });
  }

  #setOverride(
    caller: Logged,
    layer: string,
    partition: string,
    met: { limits: string; until: number | null } | undefined,
  ): void {
    const terms = met === undefined ? "" : `${met.limits} ${met.until}`;
    const key = `${layer} ${partition}`;
    if ((this.#overrides.get(key) ?? "") === terms) return;
    this.#overrides.set(key, terms);
    if (!this.#hasLayer(layer)) return;
    this.#tryTo(() => {
      if (met === undefined) void this.#limiter.endOverride(caller, { layer });
      else {
        const until = met.until === null ? {} : { until: met.until };
        if (met.limits === "blocked") void this.#limiter.block(caller, { layer, ...until });
        else void this.#limiter.override(caller, { layer, limits: met.limits, ...until });
      }
    });
  }

  #hasLayer(layer: string): boolean {
    return this.#limiter.policy.layers.some(({ name }) => name === layer);
  }

  /** Makes a change, and notes it if the policy does not support it. */
  #tryTo(change: () => unknown): void {
    try {
      change();
    } catch (error) {
      this.#note(error instanceof Error ? error.message : String(error));
    }
  }

  #countedIn(cost: Cost): Cost {
    return Object.fromEntries(Object.entries(cost).filter(([unit]) => this.#limiter.policy.units.has(unit)));
  }
}

function replayedOf(line: DecisionLine, admission: Admission): Replayed {
  const rest = { line, used: {}, cut: false };
  if (admission.admitted) {
    const left = admission.tightest?.remaining;
    return { ...rest, admitted: true, waitMs: 0, ...(left === undefined ? {} : { left }) };
  }
  const { reason, binding, retryAfterMs, waitsFor } = admission;
  return {
    ...rest,
    admitted: false,
    reason,
    limit: binding.name,
    layer: binding.layer,
    waitMs: retryAfterMs,
    waitsFor,
  };
}

function callerOf(
  partitions: readonly { layer: string; partition: string; plan?: string; limits?: string }[],
): Logged {
  return new Map(partitions.map((one) => [one.layer, one]));
}

/** Returns a document's layers, with functions that read callers' keys, plans and limits from the log. */
function layersFor(traffic: Traffic, document: PolicyDocument) {
  const { layers } = traffic;
  for (const { name, key = name } of document.layers) {
    if (!layers.has(key))
      throw new InputError(
        `Layer "${name}" of the policy needs the key "${key}", but the log has callers only for ${inWords(layers)}.`,
      );
  }
  const keys = Object.fromEntries(
    [...layers].map((layer) => [layer, (caller: Logged) => caller.get(layer)?.partition ?? null]),
  );
  const named = document.layers.map(({ name, key = name }) => [name, key] as const);
  return layersOf<Logged>(document, {
    keys,
    plans: Object.fromEntries(named.map(([name, key]) => [name, (caller: Logged) => caller.get(key)?.plan])),
    limits: Object.fromEntries(
      document.layers.flatMap(({ name, key = name, defaultLimits }) =>
        defaultLimits === undefined
          ? []
          : [[name, (caller: Logged) => caller.get(key)?.limits ?? textOf(defaultLimits)]],
      ),
    ),
  });
}

function textOf(limits: unknown): string {
  return Array.isArray(limits) ? limits.join("; ") : String(limits);
}

/** Returns the hash of an event's policy. */
function hashOf(event: Event | undefined): string | undefined {
  if (event?.type === "decision") return event.policy;
  return event?.type === "policy" ? event.hash : undefined;
}

function policyOf({ policies, limiter }: Traffic, hash: string | undefined): PolicyDocument {
  const found = policies.get(hash ?? "");
  if (found !== undefined) return found;
  throw new InputError(
    `The log of "${limiter}" names the policy ${hash}, but does not contain it: add the earlier files, or --policy.`,
  );
}

function atMost(used: Cost, granted: Cost): Cost {
  return Object.fromEntries(
    Object.entries(used).map(([unit, amount]) => [unit, Math.min(amount, granted[unit] ?? amount)]),
  );
}

function inWords(names: ReadonlySet<string>): string {
  return [...names].map((name) => `"${name}"`).join(", ");
}
