import type { Outcome, Store } from "../core/store.ts";
import { memoryStore } from "../stores/memory/index.ts";

/**
 * What a scripted store does with a call. `answer`: what it is asked. `reject`: nothing, and rejects. `throw`: nothing,
 * and throws. `hang`: what it is asked, but its answer is held back. `lose`: what it is asked, and then rejects as if
 * the connection had broken before the answer came.
 */
export type StoreMode = "answer" | "reject" | "throw" | "hang" | "lose";

/** A store that behaves as badly as a test tells it to. */
export interface ScriptedStore extends Store {
  readonly remote: true;
  mode: StoreMode;
  /** How often it was called, whatever became of it. */
  readonly calls: { decide: number; adjust: number; reset: number; override: number };
  /** How many answers are held back. */
  readonly held: number;
  /** Gives the answers that were held back, in the order of the calls. */
  answerHeld(): void;
  /** Rejects the calls whose answers were held back. */
  rejectHeld(): void;
}

/**
 * A shared store for tests of outages, over a store that answers.
 *
 * ```ts
 * const store = scriptedStore();
 * store.mode = "reject";
 * ```
 *
 * @param over where it counts; a memory store by default.
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
    mode: "answer",
    calls,

    get held() {
      return held.length;
    },

    decide(charges, now, peek, hold) {
      calls.decide += 1;
      return behave<Outcome>(() => over.decide(charges, now, peek, hold));
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
