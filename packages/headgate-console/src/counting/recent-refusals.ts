/** What is known of one refusal, found by its request's id. */
export interface RefusalRecord {
  /** The request's, where the service said so: see `Collector.name`. */
  requestId: string | null;
  /** Milliseconds since 1970-01-01T00:00Z. */
  at: number;
  limiter: string;
  layer: string;
  /** The caller in that layer. A long one is only what it begins with, and a mark: see `isClippedKey`. */
  key: string;
  plan: string | null;
  reason: string;
  /** The limit with the longest wait. */
  limit: string;
  quota: number;
  unit: string;
  windowMs: number;
  /** How much of the limit was left; less than the request needed. */
  remaining: number;
  /** `null`: no wait helps. */
  waitMs: number | null;
  waitsFor: string;
  decidedBy: string;
  policy: string;
  /** What an operator had decided for the caller in that layer. */
  override: { limits: string; until: number | null; reason: string | null; by: string | null } | null;
}

/** How many refusals of one limiter a process keeps, */
export const MOST_REFUSALS = 500;
/** of all of its limiters, */
const MOST_REFUSALS_OF_ALL = 1_000;
/** and of one caller: a flood of one takes nobody else's place. */
export const MOST_REFUSALS_OF_A_CALLER = 5;

/** @returns how many refusals each limiter keeps, where there are `limiters`: enough for one caller at least */
export function refusalsOfEach(limiters: number): number {
  const share = Math.floor(MOST_REFUSALS_OF_ALL / limiters);
  return Math.max(MOST_REFUSALS_OF_A_CALLER, Math.min(MOST_REFUSALS, share));
}

/** The last refusals of one limiter in this process, bounded. */
export interface RecentRefusals {
  /** @returns whether the caller came back before the last wait was over */
  add(record: RefusalRecord): boolean;
  /** The oldest first. */
  read(): RefusalRecord[];
}

/** @param most how many it keeps: {@link MOST_REFUSALS_OF_A_CALLER} or more */
export function createRecentRefusals(most: number = MOST_REFUSALS): RecentRefusals {
  // In the order in which they came.
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
