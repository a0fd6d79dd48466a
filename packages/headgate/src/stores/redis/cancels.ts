import { inBackground } from "../../core/background.ts";
import { UnreadableStateError } from "../../core/errors.ts";
import type { Outcome } from "../../core/store.ts";
import type { Request } from "./encode.ts";
import type { Ask } from "./slots.ts";
import { within } from "./within.ts";

type Cancel = Extract<Request, { do: "cancel" }>;

interface Pending {
  readonly slot: number;
  readonly request: Cancel;
  readonly since: number;
  tries: number;
  /** What is under way. */
  trying: Promise<Outcome | undefined> | undefined;
  /** Stops the timer of the next try. */
  stop(): void;
}

/** A call that is not answered within this time, ms, is repeated: a cancel may be. */
const longestTryMs = 1_000;
const firstPauseMs = 50;
const longestPauseMs = 2_000;
/** After so long, ms, no slot has the record of the attempt any more: what it charged stays charged until its window is over. */
const longestMs = 30_000;
/** More than these are not waited for: the oldest are given up. */
const most = 10_000;

/** Cancels attempts, again and again until the slot says so. */
export interface Cancels {
  /** @returns what the slot answered to the first try; `undefined` where it did not, and is asked again in the background. */
  cancel(slot: number, request: Cancel): Promise<Outcome | undefined>;
  /** Whether no cancel of this reservation waits for its slot any more. Tries those that do. */
  settle(rid: string): Promise<boolean>;
  /** Tries once more what waits, and gives up what is left. */
  close(): Promise<void>;
}

export function createCancels(ask: Ask): Cancels {
  const waiting = new Set<Pending>();
  let closed = false;

  function attempt(one: Pending): Promise<Outcome | undefined> {
    one.stop();
    one.trying ??= send(one).finally(() => {
      one.trying = undefined;
    });
    return one.trying;
  }

  async function send(one: Pending): Promise<Outcome | undefined> {
    one.tries += 1;
    try {
      const outcome = await within(longestTryMs, ask(one.slot, one.request));
      if (outcome !== undefined) {
        waiting.delete(one);
        return outcome;
      }
    } catch (error) {
      // Nobody can take anything back there.
      if (error instanceof UnreadableStateError) waiting.delete(one);
    }
    if (closed || performance.now() - one.since > longestMs) waiting.delete(one);
    if (waiting.has(one)) {
      const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(one.tries - 1, 10));
      one.stop = inBackground(pauseMs, () => void attempt(one));
    }
    return undefined;
  }

  return {
    cancel(slot, request) {
      const one: Pending = {
        slot,
        request,
        since: performance.now(),
        tries: 0,
        trying: undefined,
        stop() {},
      };
      waiting.add(one);
      if (waiting.size > most) {
        const [oldest] = waiting;
        oldest?.stop();
        waiting.delete(oldest as Pending);
      }
      return attempt(one);
    },

    async settle(rid) {
      if (waiting.size === 0) return true;
      const its = [...waiting].filter(({ request }) => request.hold?.rid === rid);
      await Promise.all(its.map(attempt));
      return !its.some((one) => waiting.has(one));
    },

    async close() {
      closed = true;
      await Promise.all([...waiting].map(attempt));
      for (const one of waiting) one.stop();
      waiting.clear();
    },
  };
}
