import { windowAround } from "../../core/algorithms/fixed-window.ts";
import { stateKindOf } from "../../core/algorithms/index.ts";
import { greatestCommonDivisor, type Limit } from "../../core/limit.ts";
import { counting, type LimitGroup } from "../../core/limit-set.ts";
import { stateId, unitId } from "./partition-id.ts";
import { edgeKinds, stateCodes } from "./sql/codes.ts";

/** The description of a group of limits for the functions. */
export interface GroupDescription {
  /** Absent if the algorithm does not spend (`concurrent`). */
  readonly stateId: string | undefined;
  readonly unitId: number;
  /** As the functions in `sql/` read it; the edges of calendar windows follow. */
  readonly numbers: readonly number[];
  /** Set where the window follows the calendar. */
  readonly calendar: Limit | undefined;
  /** The layer's memory: logs are kept for this long. */
  readonly memoryMs: number;
}

const descriptions = new WeakMap<LimitGroup, GroupDescription>();

export function describeGroup(group: LimitGroup): GroupDescription {
  const { windowMs } = group.memory;
  let description = descriptions.get(group);
  if (description === undefined || description.memoryMs !== windowMs) {
    description = describe(group, windowMs);
    descriptions.set(group, description);
  }
  return description;
}

function describe(group: LimitGroup, memoryMs: number): GroupDescription {
  const { id, unit, limits } = group;
  const first = limits[0] as Limit;
  const { algorithm, quota, windowMs } = first;
  const kind = stateKindOf(counting(group));
  const keptMs = kind === "sliding-window" ? memoryMs : windowMs;
  const numbers = [stateCodes[kind], limits.length, keptMs];
  for (const limit of limits) numbers.push(limit.quota, limit.windowMs);
  if (algorithm === "token-bucket") {
    const divisor = greatestCommonDivisor(quota, windowMs);
    numbers.push(windowMs / divisor, quota / divisor);
  }
  if (algorithm === "fixed-window") numbers.push(edgeKind(first));
  return {
    stateId: algorithm === "concurrent" ? undefined : stateId(unit, id),
    unitId: unitId(unit),
    memoryMs,
    numbers,
    calendar: first.calendar === undefined ? undefined : first,
  };
}

function edgeKind({ calendar, from }: Limit): number {
  if (calendar !== undefined) return edgeKinds.calendar;
  return from === undefined ? edgeKinds.steps : edgeKinds.firstUse;
}

interface Edges {
  readonly from: number;
  readonly to: number;
  readonly numbers: readonly number[];
}

const edges = new WeakMap<Limit, Edges>();

/**
 * The starts of the calendar windows around a moment: the previous one, this one, and the next two; then the end of the
 * last one. The server cannot compute them, and its clock may differ a little from this process's clock.
 */
export function calendarEdges(limit: Limit, now: number): readonly number[] {
  const known = edges.get(limit);
  if (known !== undefined && now >= known.from && now < known.to) return known.numbers;
  const current = windowAround(limit, now);
  const before = windowAround(limit, current.start - 1);
  const next = windowAround(limit, current.end);
  const last = windowAround(limit, next.end);
  const numbers = [before.start, current.start, next.start, last.start, last.end];
  edges.set(limit, { from: current.start, to: current.end, numbers });
  return numbers;
}
