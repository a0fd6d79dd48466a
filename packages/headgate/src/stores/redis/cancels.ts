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
  /** The call that is under way. */
  trying: Promise<Outcome | undefined> | undefined;
  /** Stops the timer of the next try. */
  stop(): void;
}

/** A cancel that is not answered within this time, ms, is repeated. Repeating it is safe. */
const longestTryMs = 1_000;
const firstPauseMs = 50;
const longestPauseMs = 2_000;
/** After this time, ms, slots have dropped the record of the attempt: its charges stay until their windows are over. */
const longestMs = 30_000;
/** The maximum number of cancels under way; beyond it, the oldest are given up. */
const most = 10_000;

/** Cancels attempts: repeats each cancel until the slot confirms it. */
export interface Cancels {
  /** @returns the slot's answer to the first try; `undefined` if it did not answer, and the cancel is repeated in the background. */
  cancel(slot: number, request: Cancel): Promise<Outcome | undefined>;
  /** Whether all cancels of this reservation are done. Tries the others again. */
  settle(rid: string): Promise<boolean>;
  /** Tries all waiting cancels once more, and gives up those that still fail. */
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
