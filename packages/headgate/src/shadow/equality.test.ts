import { eachStore } from "@headgate/test-servers/each-store.ts";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Admission, Admitted, Peek } from "../core/admission.ts";
import type { LayerOptions } from "../core/policy.ts";
import type { Store } from "../core/store.ts";
import type { Limiter } from "../limiter/contract.ts";
import { createLimiter } from "../limiter/limiter.ts";
import { fakeClock } from "../testing/fake-clock.ts";
import { shadowDecisions } from "../testing/shadow-decisions.ts";

interface Caller {
  user: string;
  plan: string;
}

const user = { name: "user", key: (caller: Caller) => caller.user };
const all = { name: "all", key: () => "all" };
const planned = { ...user, plan: ({ plan }: Caller) => plan, defaultPlan: "free" };

const live: LayerOptions<Caller>[] = [
  {
    ...planned,
    plans: {
      free: "4/minute; 400 tokens/hour; 2 concurrent",
      pro: "8/minute; 900 tokens/hour sliding-window",
    },
  },
  { ...all, limits: "12/minute" },
];

/** Candidate policies: stricter and looser, with other units and algorithms, other plans, and fewer or more layers. */
const candidates: LayerOptions<Caller>[][] = [
  [
    { ...planned, plans: { free: "2/minute; 300 tokens/hour", pro: "blocked" } },
    { ...all, limits: "20/minute" },
  ],
  [{ ...user, limits: "6/minute token-bucket; 1 concurrent; 500 tokens/hour sliding-counter" }],
  [
    { ...planned, plans: { free: "3/10 seconds", pro: "unlimited", team: "1/minute" } },
    { ...all, limits: "5/30 seconds fixed-window; 700 tokens/hour fixed-window" },
    { name: "plan", key: ({ plan }) => (plan === "pro" ? null : plan), limits: "7/minute; 3 concurrent" },
  ],
];

const caller = fc.record({
  user: fc.constantFrom("ann", "bob"),
  plan: fc.constantFrom("free", "pro", "team"),
});
const tokens = fc.integer({ min: 0, max: 250 });
const which = fc.nat({ max: 20 });

const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant("admit" as const), caller, tokens }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("report" as const), which, tokens }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("extend" as const), which, tokens }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("end" as const),
      which,
      used: fc.option(fc.oneof(fc.constant("nothing" as const), fc.record({ tokens })), { nil: undefined }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.integer({ min: 1, max: 20_000 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("penalise" as const), caller, tokens }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("reset" as const), caller }) },
);

const histories = fc.record({
  candidate: fc.constantFrom(...candidates),
  steps: fc.array(step, { minLength: 5, maxLength: 40 }),
});

/** Returns a decision without the names of limiter and policy. */
function said(decision: Admission | Peek) {
  return {
    admitted: decision.admitted,
    at: decision.at,
    limits: decision.limits.map(({ name, remaining, waitMs, resetMs }) => [name, remaining, waitMs, resetMs]),
    reason: decision.admitted ? undefined : decision.reason,
  };
}

/** The shadow's calls are not awaited: `quiet` resolves once no call is under way. */
function watched(store: Store): { store: Store; quiet: () => Promise<void> } {
  const underWay = new Set<Promise<unknown>>();
  const noted = <Answer>(answer: Answer): Answer => {
    if (!(answer instanceof Promise)) return answer;
    underWay.add(answer);
    const left = () => void underWay.delete(answer);
    answer.then(left, left);
    return answer;
  };
  return {
    store: {
      name: store.name,
      remote: store.remote,
      decide: (...asked) => noted(store.decide(...asked)),
      adjust: (...asked) => noted(store.adjust(...asked)),
      reset: (...asked) => noted(store.reset(...asked)),
    },
    async quiet() {
      // An answer may cause another call.
      for (let turns = 0; turns < 3; turns += 1) {
        if (underWay.size > 0) turns = 0;
        await Promise.allSettled([...underWay]);
        await new Promise(setImmediate);
      }
    },
  };
}

const { memory, redis, postgres } = eachStore();

describe.each([
  ["memory", memory, 300],
  ["redis", redis, 50],
  ["postgres", postgres, 12],
] as const)("a shadow over %s", (_name, make, runs) => {
  it(`decides like a second limiter with the candidate policy, and changes no live answer, in ${runs} histories`, async () => {
    const seen = { admitted: 0, refused: 0, differing: 0, extensionsRefused: 0 };
    await fc.assert(
      fc.asyncProperty(histories, async ({ candidate, steps }) => {
        const clock = fakeClock();
        const { store, quiet } = watched(make(clock));
        const errors: unknown[] = [];
        const limiter = (layers: LayerOptions<Caller>[]): Limiter<Caller> =>
          createLimiter<Caller>({
            name: `shadow-${Math.random().toString(36).slice(2)}`,
            layers,
            units: ["tokens"],
            store,
            // The clock has no timers, because heartbeats at other times would change when holds lapse.
            clock: { now: clock.now },
            timeouts: { storeMs: 30_000 },
            onError: (error) => errors.push(error),
            onWarning: () => {},
          });
        const shadowed = limiter(live);
        const plain = limiter(live);
        const second = limiter(candidate);
        const decisions = shadowDecisions(shadowed);
        shadowed.setShadow(candidate);

        const open: { shadowed: Admitted; plain: Admitted; second: Admission }[] = [];
        let extensionsRefused = 0;
        for (const one of steps) {
          if (one.do === "wait") clock.advance(one.ms);
          if (one.do === "penalise")
            for (const each of [shadowed, plain, second])
              await each.penalise(one.caller, { tokens: one.tokens });
          if (one.do === "reset") for (const each of [shadowed, plain, second]) await each.reset(one.caller);
          if (one.do === "admit") {
            const cost = { tokens: one.tokens };
            const answer = await shadowed.admit(one.caller, { cost });
            const without = await plain.admit(one.caller, { cost });
            expect(said(answer)).toEqual(said(without));
            const own = await second.admit(one.caller, { cost });
            const { shadow, live } = await decisions.next();
            expect(live).toBe(answer);
            expect(said(shadow)).toEqual(said(own));
            seen[own.admitted ? "admitted" : "refused"] += 1;
            if (own.admitted !== answer.admitted) seen.differing += 1;
            if (answer.admitted && without.admitted)
              open.push({ shadowed: answer, plain: without, second: own });
            // The request is refused, so its use is the estimate.
            else if (own.admitted) await own.end();
          }
          if (store.remote) await quiet();
          if (!("which" in one) || open.length === 0) continue;
          const at = one.which % open.length;
          const { second: own, ...answers } = open[at] as (typeof open)[number];
          const each = [answers.shadowed, answers.plain, ...(own.admitted ? [own] : [])];
          if (one.do === "report")
            for (const admission of each) await admission.report({ tokens: one.tokens });
          if (one.do === "end") {
            for (const admission of each) await admission.end(one.used);
            open.splice(at, 1);
          }
          if (one.do === "extend") {
            const [extended, without, extendedOwn] = await Promise.all(
              each.map((admission) => admission.extend({ tokens: one.tokens })),
            );
            expect(extended?.admitted).toBe(without?.admitted);
            if (extendedOwn?.admitted === false && extendedOwn.reason !== "ended") extensionsRefused += 1;
          }
          if (store.remote) await quiet();
        }
        expect(errors.map(String).filter((error) => !error.includes("has no plan"))).toEqual([]);
        const report = shadowed.endShadow();
        expect(report).toMatchObject({
          undecided: 0,
          overridden: 0,
          extensions: { wouldRefuse: extensionsRefused },
        });
        seen.extensionsRefused += extensionsRefused;
        for (const each of [shadowed, plain, second]) await each.close();
      }),
      { numRuns: runs },
    );
    // If nothing of a kind happened, the test would prove nothing about it.
    const { extensionsRefused, ...counts } = seen;
    for (const count of Object.values(counts)) expect(count).toBeGreaterThan(runs / 25);
    // Refused extensions are rare, so a few histories may have none.
    if (runs >= 300) expect(extensionsRefused).toBeGreaterThan(0);
  }, 240_000);
});
