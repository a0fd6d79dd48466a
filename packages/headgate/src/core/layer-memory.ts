import { day, hour, type Limit, wordFor } from "./limit.ts";

/**
 * How far back a layer must know what was spent of a unit: the widest window of all limits seen so far. When a caller's
 * plan changes, the new plan counts as if the caller had always had it.
 */
export interface UnitMemory {
  windowMs: number;
}

/** For each unit, how far back the layer remembers it. */
export type LayerMemory = Map<string, UnitMemory>;

/** Returns an independent copy. */
export function copyOf(memory: LayerMemory = new Map()): LayerMemory {
  return new Map([...memory].map(([unit, ofUnit]) => [unit, { ...ofUnit }]));
}

/** Returns how far back the layer remembers a unit. It grows when wider limits are seen. */
export function memoryOf(memory: LayerMemory, unit: string): UnitMemory {
  let ofUnit = memory.get(unit);
  if (ofUnit === undefined) {
    ofUnit = { windowMs: 0 };
    memory.set(unit, ofUnit);
  }
  return ofUnit;
}

/** Extends the memory to the windows of these limits. */
export function remember(memory: LayerMemory, limits: readonly Limit[]): void {
  for (const limit of limits) {
    if (limit.algorithm === "concurrent" || wordFor(limit) !== undefined) continue;
    const ofUnit = memoryOf(memory, limit.unit);
    ofUnit.windowMs = Math.max(ofUnit.windowMs, longestWindowMs(limit));
  }
}

/**
 * Returns the longest possible length, because calendar windows vary. A sliding counter also reads the previous step.
 */
function longestWindowMs({ windowMs, calendar, algorithm }: Limit): number {
  if (algorithm === "sliding-counter") return 2 * windowMs;
  if (calendar === "day" || calendar === "week") return windowMs + hour;
  if (calendar === "month") return 31 * day + hour;
  return calendar === "year" ? 366 * day : windowMs;
}
