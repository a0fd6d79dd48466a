import type { LimitReading } from "./admission.ts";

/** An admission is near a limit once this share of it is used. */
export const nearFrom = 0.8;

/** Returns how much of a limit is used, from 0 to 1. */
export function shareUsed({ quota, remaining }: Pick<LimitReading, "quota" | "remaining">): number {
  return quota === 0 ? 1 : 1 - remaining / quota;
}
