import type { Cost } from "headgate";
import { courseKey, type Traffic } from "./traffic.ts";

/** Assumptions about requests that the log refused: what they would have used is unknown. */
export interface Model {
  /** For each unit, the share of their estimates that ended requests used; 1 if the log has no ended requests. */
  readonly usedOfEstimate: Readonly<Record<string, number>>;
  /** The median time for which requests held their units, in ms. */
  readonly heldMs: number;
  /** Returns what an admitted request spends if the log never mentions it again. */
  spentBy(cost: Cost | undefined): Cost;
  /** Returns what a refused request is assumed to use. */
  supposedFor(cost: Cost | undefined): Cost;
}

export function modelOf({ stores, courses }: Traffic): Model {
  const estimated = new Map<string, number>();
  const used = new Map<string, number>();
  const held: number[] = [];
  for (const event of stores.flatMap(({ events }) => events)) {
    if (event.type !== "decision" || !event.admitted) continue;
    const course = courses.get(courseKey(event.process, event.id));
    if (course?.used === undefined || course.endedAt === undefined) continue;
    held.push(Math.max(0, course.endedAt - event.at));
    for (const [unit, amount] of Object.entries(event.cost ?? {})) {
      estimated.set(unit, (estimated.get(unit) ?? 0) + amount);
      used.set(unit, (used.get(unit) ?? 0) + (course.used[unit] ?? amount));
    }
  }
  const usedOfEstimate = Object.fromEntries(
    [...estimated].map(([unit, amount]) => [unit, amount === 0 ? 1 : (used.get(unit) ?? amount) / amount]),
  );
  held.sort((a, b) => a - b);
  const spentBy = (cost: Cost | undefined): Cost => ({ requests: 1, ...withoutPlaces(cost) });
  return {
    usedOfEstimate,
    heldMs: held[Math.floor(held.length / 2)] ?? 0,
    spentBy,
    supposedFor: (cost) =>
      Object.fromEntries(
        Object.entries(spentBy(cost)).map(([unit, amount]) => [
          unit,
          unit === "requests" ? amount : Math.round(amount * (usedOfEstimate[unit] ?? 1)),
        ]),
      ),
  };
}

/** Removes places, which are held but never used. */
function withoutPlaces(cost: Cost = {}): Cost {
  return Object.fromEntries(Object.entries(cost).filter(([unit]) => unit !== "concurrent"));
}
