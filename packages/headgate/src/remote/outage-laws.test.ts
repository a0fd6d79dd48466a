import fc from "fast-check";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Admission, Admitted } from "../core/admission.ts";
import { createLimiter } from "../limiter/limiter.ts";
import { memoryStore } from "../stores/memory/index.ts";
import { fakeClock } from "../testing/fake-clock.ts";
import { type StoreMode, scriptedStore } from "../testing/scripted-store.ts";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

type Step =
  | { do: "admit"; user: number; tokens: number; times: number }
  | { do: "settle"; which: number; tokens: number }
  | { do: "extend"; which: number; tokens: number }
  | { do: "refund"; which: number }
  | { do: "mode"; mode: StoreMode }
  | { do: "advance"; ms: number }
  | { do: "answer" }
  | { do: "break" };

function steps(modes: readonly StoreMode[], breaks: boolean): fc.Arbitrary<Step[]> {
  const step: fc.Arbitrary<Step> = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constant("admit" as const),
        user: fc.integer({ min: 0, max: 2 }),
        tokens: fc.integer({ min: 0, max: 50 }),
        times: fc.integer({ min: 1, max: 4 }),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant("settle" as const),
        which: fc.nat({ max: 30 }),
        tokens: fc.integer({ min: 0, max: 90 }),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant("extend" as const),
        which: fc.nat({ max: 30 }),
        tokens: fc.integer({ min: 1, max: 50 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("refund" as const), which: fc.nat({ max: 30 }) }) },
    {
      weight: 3,
      arbitrary: fc.record({ do: fc.constant("mode" as const), mode: fc.constantFrom(...modes) }),
    },
    {
      weight: 3,
      arbitrary: fc.record({ do: fc.constant("advance" as const), ms: fc.integer({ min: 0, max: 1500 }) }),
    },
    { weight: 1, arbitrary: fc.constant({ do: "answer" as const }) },
    ...(breaks ? [{ weight: 1, arbitrary: fc.constant({ do: "break" as const }) }] : []),
  );
  return fc.array(step, { maxLength: 60 });
}

interface Held {
  handle: Admitted;
  user: number;
  at: number;
  requests: number;
  tokens: number;
  /** The last report. A stream never reports less than before. */
  reported: number | undefined;
  ended: boolean;
}

function world(limits: string, instances: number) {
  const clock = fakeClock();
  const shared = memoryStore();
  const store = scriptedStore(shared);
  const layers = [
    {
      name: "user",
      key: (user: number) => `user${user}`,
      limits,
      outage: { policy: "local" as const, instances },
    },
    { name: "all", key: () => "all", limits: "100000/week; 9000000 tokens/week sliding-window" },
  ];
  const limiter = createLimiter<number>({
    name: "chat",
    layers,
    store,
    clock,
    onError: () => {},
    onOutage: () => {},
    onWarning: () => {},
  });
  const other = createLimiter<number>({ name: "chat", layers, store: shared, clock, onWarning: () => {} });
  const held: Held[] = [];

  /** No call may take longer than the time limit, whatever the store does. */
  async function promptly<Answer>(answer: Answer | Promise<Answer>): Promise<Answer> {
    let late = false;
    const whole = Promise.resolve(answer).finally(() => {
      late = false;
    });
    late = true;
    await vi.advanceTimersByTimeAsync(252);
    expect(late).toBe(false);
    return whole;
  }

  async function play(script: readonly Step[], admitted: (one: Held) => void) {
    for (const step of script) {
      if (step.do === "mode") store.mode = step.mode;
      if (step.do === "advance") clock.advance(step.ms);
      if (step.do === "answer") store.answerHeld();
      if (step.do === "break") store.rejectHeld();
      if (step.do === "admit") {
        const { user, tokens, times } = step;
        const asked = Array.from({ length: times }, () => limiter.admit(user, { cost: { tokens } }));
        for (const admission of (await promptly(Promise.all(asked))) as Admission[]) {
          if (!admission.admitted) continue;
          held.push({
            handle: admission,
            user,
            at: clock.now(),
            requests: 1,
            tokens,
            reported: undefined,
            ended: false,
          });
          admitted(held.at(-1) as Held);
        }
      }
      if (step.do === "extend") {
        const one = held[step.which];
        if (one === undefined || one.ended) continue;
        const { admitted: isLonger } = await promptly(one.handle.extend({ tokens: step.tokens }));
        if (isLonger && one.reported === undefined) one.tokens += step.tokens;
      }
      if (step.do === "settle" || step.do === "refund") {
        const one = held[step.which];
        if (one === undefined || one.ended) continue;
        if (step.do === "refund") {
          Object.assign(one, { requests: 0, tokens: 0, ended: true });
          await promptly(one.handle.end("nothing"));
        } else {
          one.tokens = Math.max(one.reported ?? 0, step.tokens);
          one.reported = one.tokens;
          one.ended = step.which % 2 === 0;
          const used = { tokens: one.tokens };
          await promptly(one.ended ? one.handle.end(used) : one.handle.report(used));
        }
      }
    }
  }

  async function recover() {
    store.mode = "answer";
    store.answerHeld();
    for (const one of held) if (!one.ended) await promptly(one.handle.end());
    for (let n = 0; n < 4; n += 1) {
      clock.advance(1200);
      await promptly(limiter.peek(99));
    }
    expect(limiter.status()).toMatchObject({ state: "closed", waiting: 0 });
  }

  return { clock, store, limiter, other, held, play, recover };
}

/** The second extension must not wait for the totals of the first, which are sent in between. */
const extendedTwice: Step[] = [
  { do: "admit", user: 0, tokens: 0, times: 3 },
  { do: "mode", mode: "hang" },
  { do: "extend", which: 2, tokens: 1 },
  { do: "extend", which: 2, tokens: 1 },
];

it("loses nothing and counts nothing twice after any failure, if the store reports the result of each call", async () => {
  const limits = "10000/week; 900000 tokens/week sliding-window";
  await fc.assert(
    fc.asyncProperty(steps(["answer", "answer", "reject", "throw", "hang"], false), async (script) => {
      const { other, held, play, recover } = world(limits, 1);
      await play(script, () => {});
      await recover();
      for (const user of [0, 1, 2]) {
        const mine = held.filter((one) => one.user === user);
        const sum = (all: readonly Held[], unit: "requests" | "tokens") =>
          all.reduce((total, one) => total + one[unit], 0);
        expect(
          (other.peek(user) as Admission).limits.map(({ quota, remaining }) => quota - remaining),
        ).toEqual([sum(mine, "requests"), sum(mine, "tokens"), sum(held, "requests"), sum(held, "tokens")]);
      }
    }),
    { numRuns: 500, examples: [[extendedTwice]] },
  );
}, 60_000);

it("never admits more than the store's quota and this process's share, for any result of the calls", async () => {
  await fc.assert(
    fc.asyncProperty(
      steps(["answer", "answer", "answer", "reject", "hang", "lose"], true),
      fc.integer({ min: 1, max: 6 }),
      fc.integer({ min: 500, max: 5000 }),
      fc.constantFrom(10, 2, 1),
      async (script, quota, windowMs, instances) => {
        const { held, play, recover } = world(`${quota}/${windowMs} ms`, instances);
        const ownShare = Math.max(1, Math.floor(quota / instances));
        await play(script, ({ user, at }) => {
          const within = held.filter(
            (one) => one.user === user && one.requests > 0 && one.at > at - windowMs,
          );
          const byStore = within.filter(({ handle }) => handle.decidedBy === "store").length;
          expect(byStore).toBeLessThanOrEqual(quota);
          expect(within.length - byStore).toBeLessThanOrEqual(ownShare);
        });
        await recover();
      },
    ),
    { numRuns: 500 },
  );
}, 60_000);
