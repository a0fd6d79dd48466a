import type { LimitReading } from "./admission.ts";

/** From this share of a limit on, an admission is near it. */
export const nearFrom = 0.8;

/** How much of a limit is used, from 0 to 1. */
export function shareUsed({ quota, remaining }: Pick<LimitReading, "quota" | "remaining">): number {
  return quota === 0 ? 1 : 1 - remaining / quota;
}
