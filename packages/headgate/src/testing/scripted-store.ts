import type { Outcome, Store } from "../core/store.ts";
import { memoryStore } from "../stores/memory/index.ts";

/**
 * What a scripted store does with a call. `answer`: executes the call. `reject`: rejects without executing it. `throw`:
 * throws without executing it. `hang`: executes it, but holds the answer back. `lose`: executes it, and then rejects as
 * if the connection had broken before the answer.
 */
export type StoreMode = "answer" | "reject" | "throw" | "hang" | "lose";

/** A store that fails in the way a test chooses. */
export interface ScriptedStore extends Store {
  readonly remote: true;
  mode: StoreMode;
  /** How often each method was called, whatever the result. */
  readonly calls: { decide: number; adjust: number; reset: number; override: number };
  /** The number of answers that are held back. */
  readonly held: number;
  /** Releases the answers that are held back, in the order of the calls. */
  answerHeld(): void;
  /** Rejects the calls whose answers are held back. */
  rejectHeld(): void;
}

/**
 * Creates a shared store for tests of outages, based on a working store.
 *
 * ```ts
 * const store = scriptedStore();
 * store.mode = "reject";
 * ```
 *
 * @param over the store that counts. Default: a memory store.
 */
export function scriptedStore(over: Store = memoryStore()): ScriptedStore {
  const calls = { decide: 0, adjust: 0, reset: 0, override: 0 };
  const held: { answer(): void; reject(): void }[] = [];
  const failure = () => new Error("connection lost");

  function behave<Answer>(call: () => Answer | Promise<Answer>): Promise<Answer> {
    if (script.mode === "throw") throw failure();
    if (script.mode === "reject") return Promise.reject(failure());
    const answer = call();
    if (script.mode === "lose") return Promise.reject(Object.assign(failure(), { inDoubt: true }));
    if (script.mode === "answer") return Promise.resolve(answer);
    return new Promise((resolve, reject) => {
      held.push({ answer: () => resolve(answer), reject: () => reject(failure()) });
    });
  }

  const script: ScriptedStore = {
    name: "scripted",
    remote: true,
    claims: over.claims === true,
    mode: "answer",
    calls,

    get held() {
      return held.length;
    },

    decide(charges, now, peek, hold, claim) {
      calls.decide += 1;
      return behave<Outcome>(() => over.decide(charges, now, peek, hold, claim));
    },

    adjust(adjustments, now) {
      calls.adjust += 1;
      return behave<Outcome>(() => over.adjust(adjustments, now));
    },

    reset(partitions, now) {
      calls.reset += 1;
      return behave<void>(() => over.reset(partitions, now));
    },

    override(partitions, terms, now) {
      calls.override += 1;
      return behave<void>(() => over.override?.(partitions, terms, now));
    },

    answerHeld() {
      for (const one of held.splice(0)) one.answer();
    },

    rejectHeld() {
      for (const one of held.splice(0)) one.reject();
    },
  };
  return script;
}
