import type { Store } from "../core/store.ts";
import { mintRid } from "../reservation/rid.ts";

/** Who decides notes this often that it is alive, ms: sooner at first, when others start as well. */
const firstEveryMs = 100;
const everyMs = 10_000;

/** How many processes decide over the same store, as far as it has reported. */
export interface Presence {
  readonly processes: number | undefined;
  /**
   * Call it along with calls to the store: notes that this process is alive, if it is time. Nobody waits for it.
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
    // Drawn late: some runtimes have no random numbers before the first request.
    process ??= mintRid();
    try {
      const counted = await store.countProcesses?.(limiter, process, at);
      if (Number.isSafeInteger(counted) && (counted as number) >= 1) processes = counted;
    } catch {
      // What was reported last goes on to count, and what is wrong with the store its decisions show.
    }
  }

  return {
    get processes() {
      return processes;
    },

    note(now) {
      if (store.countProcesses === undefined || now < dueAt) return;
      dueAt = now + nextMs;
      nextMs = Math.min(2 * nextMs, everyMs);
      void count(now);
    },
  };
}
