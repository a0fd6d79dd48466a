import type { Cost } from "headgate";
import type {
  BeginLine,
  DecisionLine,
  ExtendedLine,
  LogLine,
  OverrideLine,
  PenaltyLine,
  PolicyLine,
  ResetLine,
  SettledLine,
} from "headgate/log";
import type { PolicyDocument } from "headgate/policy-document";
import { InputError } from "./input-error.ts";

/** A line that affects decisions. */
export type Event =
  | DecisionLine
  | SettledLine
  | ExtendedLine
  | OverrideLine
  | ResetLine
  | PenaltyLine
  | PolicyLine;

/** The course of an admitted request, according to the log. */
export interface Course {
  /** What the request used in total; `undefined` if nothing was reported after the decision. */
  used: Cost | undefined;
  endedAt: number | undefined;
}

/** The events of one store, in the order in which the store applied them. */
export interface StoreTraffic {
  /** The process, if the store is its memory. */
  readonly process: string | undefined;
  readonly events: readonly Event[];
}

/** The traffic of one limiter in a log. */
export interface Traffic {
  readonly limiter: string;
  readonly stores: readonly StoreTraffic[];
  readonly policies: ReadonlyMap<string, PolicyDocument>;
  /** The courses of admitted requests, by `courseKey`. */
  readonly courses: ReadonlyMap<string, Course>;
  /** When the log last mentions each process. Until then, the process's heartbeat renews what its requests hold. */
  readonly seenAt: ReadonlyMap<string, number>;
  readonly units: ReadonlySet<string>;
  readonly layers: ReadonlySet<string>;
  readonly partitions: number;
  readonly processes: number;
  /** Whether all processes use the same pseudonyms. */
  readonly oneSegment: boolean;
  /** Whether the order of several processes within a millisecond is known. */
  readonly ordered: boolean;
}

export function courseKey(process: string, decision: number): string {
  return `${process} ${decision}`;
}

/** Returns the names of the limiters in a log. */
export function limitersIn(lines: readonly LogLine[]): string[] {
  return [...new Set(lines.flatMap((line) => (line.type === "decision" ? [line.limiter] : [])))].sort();
}

/**
 * Sorts the lines of one limiter into the order in which they were applied.
 *
 * @param asAnswered whether to place refusals from memory where the store gave the answer that they repeat, so that the
 * same policy refuses them again. Otherwise they keep their own time
 */
export function trafficOf(lines: readonly LogLine[], limiter: string, asAnswered: boolean): Traffic {
  const policies = new Map<string, PolicyDocument>();
  const begins = new Map<string, BeginLine>();
  const courses = new Map<string, Course>();
  const seenAt = new Map<string, number>();
  const units = new Set<string>();
  const layers = new Set<string>();
  const partitions = new Set<string>();
  const byStore = new Map<string | undefined, Event[]>();
  for (const line of lines)
    if (line.type === "begin" && line.limiter === limiter) begins.set(line.process, line);
  for (const line of lines) {
    if (!("limiter" in line) || line.limiter !== limiter || line.type === "begin") continue;
    // Decisions name the overrides by prefix that applied to them. Nothing depends on other overrides by prefix.
    if (line.type === "override" && line.byPrefix) continue;
    if (line.type === "policy") {
      policies.set(line.hash, line.policy);
      // Add layers that applied to no caller in this log too.
      for (const { name } of line.policy.layers) layers.add(name);
    }
    if ("cost" in line) for (const unit of Object.keys(line.cost ?? {})) units.add(unit);
    if (line.type === "decision") {
      for (const { layer, partition } of line.partitions) {
        layers.add(layer);
        partitions.add(`${layer} ${partition}`);
      }
    }
    if (line.type === "settled") for (const unit of Object.keys(line.used)) units.add(unit);
    note(courses, line);
    seenAt.set(line.process, Math.max(line.at, seenAt.get(line.process) ?? 0));
    const begin = begins.get(line.process);
    if (begin === undefined)
      throw new InputError(
        `The log of process ${line.process} has no line of type "begin": give the file in which it begins too.`,
      );
    const store = begin.shared ? undefined : line.process;
    const events = byStore.get(store) ?? [];
    if (events.length === 0) byStore.set(store, events);
    events.push(line);
  }
  const stores = [...byStore].map(([process, events]) => ({ process, events: inOrder(events, asAnswered) }));
  stores.sort((a, b) => (a.events[0]?.at ?? 0) - (b.events[0]?.at ?? 0));
  const shared = stores.find(({ process }) => process === undefined);
  return {
    limiter,
    stores,
    policies,
    courses,
    seenAt,
    units,
    layers,
    partitions: partitions.size,
    processes: new Set([...byStore.values()].flat().map(({ process }) => process)).size,
    oneSegment: new Set([...begins.values()].map(({ segment }) => segment)).size <= 1,
    ordered:
      shared === undefined ||
      shared.events.every((event) => event.order !== undefined || isUnplaced(event) || isByProcess(event)),
  };
}

/** Whether an event has no position among the events that the store applied in the same millisecond. */
function isUnplaced({ type }: Event): boolean {
  return type === "reset" || type === "policy" || type === "override";
}

/** Whether the process decided without its store. */
function isByProcess(event: Event): boolean {
  return event.type === "decision" && event.by !== "store";
}

function note(courses: Map<string, Course>, line: Event): void {
  if (line.type === "decision" && line.admitted)
    courses.set(courseKey(line.process, line.id), { used: undefined, endedAt: undefined });
  if (line.type !== "settled" && line.type !== "extended") return;
  const course = courses.get(courseKey(line.process, line.decision));
  if (course === undefined) return;
  if (line.type === "extended") return;
  course.used = line.used;
  if (line.ended) course.endedAt = line.at;
}

function inOrder(events: readonly Event[], asAnswered: boolean): Event[] {
  const placed = events.map((event) => {
    const moment = asAnswered && "asOf" in event ? (event.asOf ?? event) : event;
    return { event, at: moment.at, order: moment.order ?? 0 };
  });
  placed.sort(
    (a, b) =>
      a.at - b.at || a.order - b.order || compare(a.event.process, b.event.process) || a.event.n - b.event.n,
  );
  return placed.map(({ event }) => event);
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
