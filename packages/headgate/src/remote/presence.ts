import type { Store } from "../core/store.ts";
import { mintRid } from "../reservation/rid.ts";

/** How often a process that decides requests reports that it is alive, ms: more often at first, because other processes may start at the same time. */
const firstEveryMs = 100;
const everyMs = 10_000;

/** The number of processes that use the same store. */
export interface Presence {
  /** The last number that the store reported; `undefined` before its first report. */
  readonly processes: number | undefined;
  /** Whether the store counts processes, and has not reported a number yet. */
  readonly isUnknown: boolean;
  /**
   * Reports to the store that this process is alive, if the next report is due. Does not wait for the store. Call it with
   * each call to the store.
   *
   * @param now by the limiter's clock, ms.
   */
  note(now: number): void;
}

export function createPresence(store: Store, limiter: string): Presence {
  let processes: number | undefined;
  let process: string | undefined;
  let dueAt = Number.NEGATIVE_INFINITY;
  let nextMs = firstEveryMs;

  async function count(at: number): Promise<void> {
    // Created late: some runtimes provide random numbers only during a request.
    process ??= mintRid();
    try {
      const counted = await store.countProcesses?.(limiter, process, at);
      if (Number.isSafeInteger(counted) && (counted as number) >= 1) processes = counted;
    } catch {
      // Keep the last reported number. Store errors are reported by the decisions.
    }
  }

  return {
    get processes() {
      return processes;
    },
    get isUnknown() {
      return store.countProcesses !== undefined && processes === undefined;
    },

    note(now) {
      if (store.countProcesses === undefined || now < dueAt) return;
      dueAt = now + nextMs;
      nextMs = Math.min(2 * nextMs, everyMs);
      void count(now);
    },
  };
}
