import { expect } from "vitest";
import type { Admission } from "../headgate/src/core/admission.ts";
import type { Store } from "../headgate/src/core/store.ts";
import type { Limiter } from "../headgate/src/limiter/contract.ts";
import { createLimiter } from "../headgate/src/limiter/limiter.ts";

/** The time limit of every call to the store, ms. */
const limitMs = 250;
/**
 * What ends a wait where the time limit does not: the shortest time limit of any driver is 5 s. An answer within half of
 * it was bounded by the limiter, however busy the machine is.
 */
const hangMs = 2_500;
const longestUntilMs = 20_000;

/** A limiter over a server that a test breaks, and what is asked of it. */
export interface Guarded {
  readonly limiter: Limiter<string>;
  /** Decides one request, and holds the guard to its promise: never a rejection, never a hang. */
  admit(user: string, tokens?: number): Promise<Admission>;
  /** How many of so many requests were admitted, one after the other. */
  admitted(user: string, requests: number, tokens?: number): Promise<number>;
  /** Sends requests until something is so, as traffic does: each from another user, so that each would be charged. */
  until(what: string, holds: () => boolean | Promise<boolean>): Promise<void>;
  /** Until the store is left alone. */
  isOpen(): Promise<void>;
  /** Until the store decides again and has been told everything: by itself, there is nothing but traffic. */
  isBack(): Promise<void>;
  /** What the store says is left of the user's five requests and 1,000 tokens an hour. */
  left(user: string): Promise<number[]>;
}

/** Guards by a store: `5/hour; 1000 tokens/hour` a user, and a layer that everybody shares. */
export function guardedBy(store: Store): Guarded {
  const limiter = createLimiter<string>({
    name: "chat",
    layers: [
      // Two of these limiters in one test are two processes to a store that counts them.
      {
        name: "user",
        key: (user) => user,
        limits: "5/hour; 1000 tokens/hour sliding-window",
        outage: { policy: "local", instances: 1 },
      },
      { name: "all", key: () => "all", limits: "100000/hour" },
    ],
    store,
    timeouts: { storeMs: limitMs },
    onError: () => {},
    onOutage: () => {},
  });

  let sent = 0;

  async function admit(user: string, tokens = 1): Promise<Admission> {
    const before = performance.now();
    const admission = await limiter.admit(user, { cost: { tokens } });
    expect(performance.now() - before).toBeLessThan(hangMs);
    return admission;
  }

  async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
    const deadline = performance.now() + longestUntilMs;
    while (!(await holds())) {
      if (performance.now() > deadline) {
        throw new Error(`${what}: not within ${longestUntilMs} ms, ${JSON.stringify(limiter.status())}`);
      }
      await admit(`traffic ${sent}`);
      sent += 1;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  return {
    limiter,
    admit,
    until,

    async admitted(user, requests, tokens) {
      let admitted = 0;
      for (let n = 0; n < requests; n += 1) if ((await admit(user, tokens)).admitted) admitted += 1;
      return admitted;
    },

    isOpen: () => until("The store is left alone", () => limiter.status().state === "open"),

    isBack: () =>
      until("The store decides again and has been told everything", async () => {
        const { state, waiting } = limiter.status();
        return state === "closed" && waiting === 0 && (await limiter.peek("nobody")).shared;
      }),

    async left(user) {
      const peek = await limiter.peek(user);
      expect(peek.shared).toBe(true);
      return peek.limits.filter(({ layer }) => layer === "user").map(({ remaining }) => remaining);
    },
  };
}
