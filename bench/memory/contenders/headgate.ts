import { type Admission, createLimiter, memoryStore } from "headgate";
import { headgateLayers } from "../../traffic.ts";
import type { MemoryContender } from "../contender.ts";

/** Reads the clock once per decision, as in a service. */
function headgate(algorithm: string): MemoryContender {
  return {
    open({ callers, clock }) {
      const limiter = createLimiter({
        name: "chat",
        layers: headgateLayers(algorithm),
        store: memoryStore({ maxPartitions: Math.max(1_000_000, 3 * callers) }),
        clock: { now: () => Date.now() + clock.offsetMs },
      });
      return { now: (caller) => (limiter.admit(caller) as Admission).admitted };
    },
  };
}

export const slidingWindow = headgate("");
export const tokenBucket = headgate("token-bucket");
