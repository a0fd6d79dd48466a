/** A recent refusal. The console finds it by its request id. */
export interface RefusalRecord {
  /** The request id, if the service set one with `Collector.name`. */
  requestId: string | null;
  /** Milliseconds since 1970-01-01T00:00Z. */
  at: number;
  limiter: string;
  layer: string;
  /** The caller's key in that layer. Long keys are cut: see `isClippedKey`. */
  key: string;
  plan: string | null;
  reason: string;
  /** The limit with the longest wait. */
  limit: string;
  quota: number;
  unit: string;
  windowMs: number;
  /** How much of the limit was left, which was less than the request needed. */
  remaining: number;
  /** The wait in milliseconds; `null` if no wait helps. */
  waitMs: number | null;
  waitsFor: string;
  decidedBy: string;
  policy: string;
  /** The block or override of the caller in that layer. */
  override: { limits: string; until: number | null; reason: string | null; by: string | null } | null;
}

/** How many refusals of one limiter a process keeps. */
export const MOST_REFUSALS = 500;
/** How many refusals of all limiters a process keeps. */
const MOST_REFUSALS_OF_ALL = 1_000;
/** How many refusals of one caller a process keeps, so that a flood from one caller does not push out others. */
export const MOST_REFUSALS_OF_A_CALLER = 5;

/** Returns how many refusals each limiter keeps if there are this many limiters: at least enough for one caller. */
export function refusalsOfEach(limiters: number): number {
  const share = Math.floor(MOST_REFUSALS_OF_ALL / limiters);
  return Math.max(MOST_REFUSALS_OF_A_CALLER, Math.min(MOST_REFUSALS, share));
}

/** The most recent refusals of one limiter in this process. */
export interface RecentRefusals {
  /** @returns whether the caller retried before the last wait was over */
  add(record: RefusalRecord): boolean;
  /** Returns the refusals, oldest first. */
  read(): RefusalRecord[];
}

/** @param most how many refusals to keep: {@link MOST_REFUSALS_OF_A_CALLER} or more */
export function createRecentRefusals(most: number = MOST_REFUSALS): RecentRefusals {
  // The refusals in the order of arrival.
  const records = new Map<number, RefusalRecord>();
  const ofCaller = new Map<string, number[]>();
  let next = 0;

  function forget(number: number): void {
    const record = records.get(number);
    if (record === undefined) return;
    records.delete(number);
    const caller = callerOf(record);
    const rest = (ofCaller.get(caller) ?? []).filter((one) => one !== number);
    if (rest.length > 0) ofCaller.set(caller, rest);
    else ofCaller.delete(caller);
  }

  return {
    add(record) {
      const caller = callerOf(record);
      const before = ofCaller.get(caller) ?? [];
      const last = records.get(before.at(-1) ?? -1);
      const [oldest] = before;
      if (oldest !== undefined && before.length >= MOST_REFUSALS_OF_A_CALLER) forget(oldest);
      else if (records.size >= most) forget(records.keys().next().value ?? -1);
      records.set(next, record);
      ofCaller.set(caller, [...(ofCaller.get(caller) ?? []), next]);
      next += 1;
      return last !== undefined && last.waitMs !== null && record.at < last.at + last.waitMs;
    },

    read: () => [...records.values()],
  };
}

function callerOf({ limiter, layer, key }: RefusalRecord): string {
  return `${limiter}\n${layer}\n${key}`;
}
