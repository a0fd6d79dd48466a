import { expect } from "vitest";
import type { Admission, Admitted } from "../headgate/src/core/admission.ts";
import type { Store } from "../headgate/src/core/store.ts";
import type { Limiter } from "../headgate/src/limiter/contract.ts";
import { createLimiter } from "../headgate/src/limiter/limiter.ts";
import type { BreakableNetwork } from "./network.ts";

/** The time limit of every call to the store, in ms. */
const limitMs = 250;
/**
 * The longest time that a decision may take, in ms: half of 5 s, the shortest time limit of any driver. So an answer
 * within it was bounded by the limiter and not by a driver, however busy the machine is.
 */
const hangMs = 2_500;
const longestUntilMs = 20_000;

/** A limiter over a server that a test breaks, with functions to use it. */
export interface Guarded {
  readonly limiter: Limiter<string>;
  /** Decides one request, and checks that the guard neither rejects nor hangs. */
  admit(user: string, tokens?: number): Promise<Admission>;
  /** Sends requests one after the other. @returns how many were admitted */
  admitted(user: string, requests: number, tokens?: number): Promise<number>;
  /** Sends requests until a condition holds. Each is from another user, so that each would be charged. */
  until(what: string, holds: () => boolean | Promise<boolean>): Promise<void>;
  /** Sends requests until the breaker is open. */
  isOpen(): Promise<void>;
  /**
   * Sends requests until the store decides again and has all pending changes. Traffic alone must be enough for that.
   */
  isBack(): Promise<void>;
  /** Asks the store what is left of the user's 5 requests and 1,000 tokens an hour. */
  left(user: string): Promise<number[]>;
}

/** Creates a limiter over a store: `5/hour; 1000 tokens/hour` for each user, and a layer that everybody shares. */
export function guardedBy(store: Store): Guarded {
  const limiter = createLimiter<string>({
    name: "chat",
    layers: [
      // A store that counts processes counts two of these limiters in one test as two processes.
      {
        name: "user",
        key: (user) => user,
        limits: "5/hour; 1000 tokens/hour sliding-window",
        outage: { policy: "local", instances: 1 },
      },
      { name: "all", key: () => "all", limits: "100000/hour" },
    ],
    store,
    // A silent store is down at once, and not slow for a while. So await `ready()` first: no decision waits for a connection.
    timeouts: { storeMs: limitMs, connectMs: 0 },
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

    isOpen: () => until("The breaker is open", () => limiter.status().state === "open"),

    isBack: () =>
      until("The store decides again and has all pending changes", async () => {
        const { state, waiting } = limiter.status();
        return (
          state === "closed" && waiting === 0 && (await limiter.peek("nobody")).decidedBy !== "outage-policy"
        );
      }),

    async left(user) {
      const peek = await limiter.peek(user);
      expect(peek.decidedBy).not.toBe("outage-policy");
      return peek.limits.filter(({ layer }) => layer === "user").map(({ remaining }) => remaining);
    },
  };
}

/**
 * Checks that an id whose answer is lost on the network is charged once and answered once.
 *
 * @param direct the same counts, reached without that network
 * @param mode how the network loses the answer
 */
export async function expectOneCharge(
  { isBack, left, limiter }: Guarded,
  network: BreakableNetwork,
  direct: Store,
  mode: "cut" | "swallow",
): Promise<void> {
  const other = guardedBy(direct).limiter;
  await other.ready();
  const asked = { id: "m1", fingerprint: "a", result: "stream 1" };
  network.mode = mode;
  const first = (await limiter.admit("alice", { ...asked, cost: { tokens: 100 } })) as Admitted;
  expect(first).toMatchObject({ admitted: true, decidedBy: "outage-policy" });
  expect(await other.admit("alice", asked)).toMatchObject({ state: "running", result: "stream 1" });
  network.mode = "open";
  network.drop();
  expect(await limiter.admit("alice", asked)).toMatchObject({ state: "running", result: "stream 1" });
  await isBack();
  expect(await left("alice")).toEqual([4, 900]);
  await first.end({ tokens: 30 }, { result: "answer 1" });
  for (const each of [limiter, other])
    expect(await each.admit("alice", asked)).toMatchObject({ state: "done", result: "answer 1" });
  expect(await left("alice")).toEqual([4, 970]);
  await other.close();
}
