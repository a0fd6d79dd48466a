import type { Clock } from "headgate";
import { isClippedKey } from "../counting/clipped.ts";
import type { Counted } from "../counting/collector.ts";
import type { RefusalRecord } from "../counting/recent-refusals.ts";
import { addUp } from "../counting/summary.ts";
import { type CallerDesk, type CreditDesk, OperatorMistake } from "./desk.ts";
import type { Summaries } from "./summaries.ts";
import { type Found, type KnownRefusal, type Now, policyView } from "./view.ts";

/** The maximum number of refusals of one limiter that the page lists. Other refusals can still be found by id. */
const MOST_SHOWN_REFUSALS = 20;
const MOST_SHOWN_CALLERS = 20;
const CALLER_FORM = /^(account|user|visitor|ip):|@/;

interface TrafficSources {
  limiters: readonly Counted[];
  summaries: () => Promise<Summaries>;
  /** Whether the summaries include other processes. */
  readsOthers: boolean;
  callers: CallerDesk | undefined;
  credit: CreditDesk | undefined;
  clock: Pick<Clock, "now">;
}

/** Reads which callers are admitted and refused. */
interface Traffic {
  now(): Promise<Now>;
  /** Finds a caller by name or by request id, because people who complain give either. */
  find(query: string): Promise<Found>;
}

export function createTraffic(sources: TrafficSources): Traffic {
  const { limiters, summaries, readsOthers, callers, credit, clock } = sources;

  const nameOf = (layer: string, key: string, limiter: string) =>
    isClippedKey(key) ? null : (callers?.nameOf(layer, key, limiter) ?? null);
  const known = (record: RefusalRecord): KnownRefusal => ({
    ...record,
    of: nameOf(record.layer, record.key, record.limiter),
    foundBy: record.requestId === null || isCaller(record.requestId) ? null : record.requestId,
  });

  async function now(): Promise<Now> {
    const { views, all, unreadable } = await summaries();
    const at = clock.now();
    const { from, stepMs, series, tops, refusals } = addUp(all, at);
    return {
      at,
      from,
      stepMs,
      series,
      processes: views,
      readsOthers,
      unreadable,
      tops: tops.map(({ counters, ...top }) => ({
        ...top,
        callers: counters.slice(0, MOST_SHOWN_CALLERS).map(([key, count, error]) => ({
          key,
          of: nameOf(top.layer, key, top.limiter),
          count,
          error,
        })),
      })),
      refusals: lastOfEach(refusals).map(known),
      policies: limiters.map(policyView),
      cost: (await credit?.cost?.()) ?? null,
    };
  }

  /** Whether a text is a caller. Clients can choose request ids, so a text in the form of a caller is never an id. */
  function isCaller(query: string): boolean {
    if (callers === undefined) return false;
    return callers.isCaller?.(query) ?? CALLER_FORM.test(query);
  }

  async function refusalsOf(requestId: string): Promise<KnownRefusal[]> {
    const { all } = await summaries();
    return addUp(all, clock.now())
      .refusals.filter((record) => record.requestId === requestId)
      .map(known);
  }

  async function find(query: string): Promise<Found> {
    const found = isCaller(query) ? [] : await refusalsOf(query);
    if (found.length > 1)
      return { refusal: null, ambiguous: found.slice(0, MOST_SHOWN_REFUSALS), caller: null };
    const [refusal = null] = found;
    const of = refusal === null ? query : refusal.of;
    const nobody: Found = { refusal, ambiguous: [], caller: null };
    if (callers === undefined || of === null) return nobody;
    try {
      const standing = await callers.show(of);
      return standing === undefined ? nobody : { ...nobody, caller: { of, standing } };
    } catch (error) {
      // The id does not name a caller. The desk may report this as a mistake.
      if (!(error instanceof OperatorMistake)) throw error;
      return nobody;
    }
  }

  return { now, find };
}

/** @param refusals newest first */
function lastOfEach(refusals: readonly RefusalRecord[]): RefusalRecord[] {
  const shown = new Map<string, number>();
  return refusals.filter(({ limiter }) => {
    const count = (shown.get(limiter) ?? 0) + 1;
    shown.set(limiter, count);
    return count <= MOST_SHOWN_REFUSALS;
  });
}
