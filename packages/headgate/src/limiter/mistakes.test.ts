import fc from "fast-check";
import { afterAll, expect, it } from "vitest";
import { rateLimit } from "../adapters/fetch.ts";
import type { Admission } from "../core/admission.ts";
import { HeadgateError } from "../core/errors.ts";
import { memoryStore } from "../stores/memory/index.ts";
import { fakeClock } from "../testing/index.ts";
import type { LimiterOptions } from "./contract.ts";
import { createLimiter } from "./limiter.ts";

interface Caller {
  key: unknown;
  plan?: unknown;
}

/** How many decisions each kind of mistake affected. */
const reached = new Map<string, number>();
const least = 1000;
const asked = 8;
const numRuns = least / asked + 25;

afterAll(() => {
  const counts = [...reached].map(([kind, count]) => `${kind} ${count}`).join(", ");
  console.info(`Decisions that mistakes reached: ${counts}.`);
});

function count(kind: string, decisions: number): void {
  reached.set(kind, (reached.get(kind) ?? 0) + decisions);
}

/** Values that TypeScript would not allow, but JavaScript does. */
const nonsense: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(undefined, Number.NaN, Number.POSITIVE_INFINITY, -0.5, true, 10n, "", Symbol("s")),
  fc.constantFrom<() => unknown>(
    () => ({}),
    () => [],
    () => () => "x",
    () => new Date(Number.NaN),
    () => Object.create(null),
    () => Promise.resolve("alice"),
    () => Promise.reject(new Error("rejected")),
    () => new Proxy({}, {}),
  ),
  fc.object({ maxDepth: 1 }),
);

/** Functions are called for each request, so that promises are not shared. */
function fresh(value: unknown): unknown {
  return typeof value === "function" ? value() : value;
}

function limited(overrides: Partial<LimiterOptions<Caller>> = {}) {
  const reports: unknown[] = [];
  const clock = fakeClock();
  const limiter = createLimiter<Caller>({
    name: "mistakes",
    layers: [{ name: "user", key: ({ key }) => key as string, limits: "2/hour" }],
    clock,
    onError: (error) => reports.push(error),
    onWarning: () => {},
    onOutage: () => {},
    ...overrides,
  });
  return { limiter, reports, clock };
}

async function admittedOf(ask: () => Admission | Promise<Admission>): Promise<number> {
  let admitted = 0;
  for (let n = 0; n < asked; n += 1) if ((await ask()).admitted) admitted += 1;
  return admitted;
}

it("of keys are decided together, up to the quota, and reported", async () => {
  await fc.assert(
    fc.asyncProperty(nonsense, async (key) => {
      const { limiter, reports } = limited();
      expect(await admittedOf(() => limiter.admit({ key: fresh(key) }))).toBe(2);
      expect(reports.length).toBe(1);
      count("keys", asked);
    }),
    { numRuns },
  );
  expect(reached.get("keys")).toBeGreaterThanOrEqual(least);
});

it("of plans get the default plan, and are reported", async () => {
  const names = fc.oneof(
    nonsense.filter((plan) => plan !== undefined),
    fc.constantFrom<unknown>("constructor", "__proto__", "toString", "Free", "free ", null),
    fc.string().filter((plan) => plan !== "free" && plan !== "pro"),
  );
  await fc.assert(
    fc.asyncProperty(names, fc.boolean(), async (plan, later) => {
      const { limiter, reports } = limited({
        layers: [
          {
            name: "user",
            key: ({ key }) => key as string,
            plans: { free: "2/hour", pro: "5/hour", staff: "unlimited" },
            plan: () => (later ? Promise.resolve(fresh(plan)) : fresh(plan)) as string,
            defaultPlan: "free",
          },
        ],
      });
      fc.pre(plan !== "staff");
      expect(await admittedOf(() => limiter.admit({ key: "a" }))).toBe(2);
      expect(reports.length).toBeGreaterThanOrEqual(1);
      count("plans", asked);
    }),
    { numRuns },
  );
  expect(reached.get("plans")).toBeGreaterThanOrEqual(least);
});

it("of limits by caller get the default limits, and are reported", async () => {
  const texts = fc.oneof(
    nonsense,
    fc.constantFrom<unknown>("5/fortnight", "5 words/day", "5k/minute", null),
    fc.string(),
  );
  await fc.assert(
    fc.asyncProperty(texts, async (text) => {
      const { limiter, reports } = limited({
        layers: [
          {
            name: "user",
            key: ({ key }) => key as string,
            limits: () => fresh(text) as string,
            defaultLimits: "2/hour",
            units: ["requests"],
          },
        ],
      });
      expect(await admittedOf(() => limiter.admit({ key: "a" }))).toBeLessThanOrEqual(2);
      expect(reports.length).toBeGreaterThanOrEqual(1);
      count("limits", asked);
    }),
    { numRuns },
  );
  expect(reached.get("limits")).toBeGreaterThanOrEqual(least);
});

it("of costs are errors that charge nothing, but in a guard they are counted and reported", async () => {
  const amount = fc.oneof(
    fc.constantFrom<unknown>(undefined, null, -1, 0.5, Number.NaN, 2 ** 60, "3", {}, []),
    nonsense,
  );
  const costs = fc.oneof(
    fc.record({ requests: amount }),
    fc.dictionary(
      fc.string().filter((unit) => unit !== "requests"),
      fc.nat(),
      { minKeys: 1 },
    ),
    fc.constantFrom<unknown>(null, 5, "3", [], [1], true, new Map([["requests", 3]]), new Set(["requests"])),
  );
  await fc.assert(
    fc.asyncProperty(costs, async (cost) => {
      const { limiter, reports } = limited();
      for (let n = 0; n < asked; n += 1)
        expect(() => limiter.admit({ key: "a" }, { cost: cost as never })).toThrow(HeadgateError);
      expect((await limiter.peek({ key: "a" })).limits[0]?.remaining).toBe(2);
      const guard = rateLimit(limiter, { caller: () => ({ key: "a" }), cost: () => cost as never });
      const handle = guard(async () => new Response("served"));
      let served = 0;
      for (let n = 0; n < asked; n += 1)
        if ((await handle(new Request("http://localhost/"))).status === 200) served += 1;
      expect(served).toBeLessThanOrEqual(2);
      expect(reports.length).toBeGreaterThanOrEqual(1);
      count("costs", asked);
    }),
    { numRuns },
  );
  expect(reached.get("costs")).toBeGreaterThanOrEqual(least);
});

it("of a store's answers count as a failed store: they are reported, and the outage policy decides", async () => {
  const answers = fc.oneof(
    nonsense,
    fc.constantFrom<unknown>(null, { admitted: true }, { admitted: true, now: 1, readings: [], marks: [] }),
    fc.record({ admitted: fc.boolean(), now: nonsense, readings: nonsense, marks: nonsense }),
    fc.record({
      admitted: fc.constant(true),
      now: fc.nat(),
      readings: fc.constantFrom<unknown>(
        [[]],
        [[null]],
        [[{ remaining: 1 }]],
        [[{ remaining: -1, waitMs: 0, resetMs: 0 }]],
      ),
      marks: fc.constantFrom<unknown>([], [[]]),
    }),
  );
  await fc.assert(
    fc.asyncProperty(answers, fc.boolean(), async (answer, remote) => {
      const store = { ...memoryStore(), name: "wrong", remote, decide: () => fresh(answer) as never };
      const { limiter, reports } = limited({ store, timeouts: { connectMs: 0 } });
      expect(await admittedOf(() => limiter.admit({ key: "a" }))).toBeLessThanOrEqual(2);
      expect(reports.length).toBeGreaterThanOrEqual(1);
      count("store answers", asked);
      await limiter.close();
    }),
    { numRuns },
  );
  expect(reached.get("store answers")).toBeGreaterThanOrEqual(least);
});

it("of options are errors when the limiter is created, or do not change a quota", async () => {
  const layer = { name: "user", key: ({ key }: Caller) => key as string, limits: "2/hour" };
  const option = fc.constantFrom(
    "name",
    "layers",
    "units",
    "store",
    "timeouts",
    "prefix",
    "max",
    "keyGenerator",
    "outgae",
  );
  const layerOption = fc.constantFrom(
    "name",
    "key",
    "limits",
    "plans",
    "plan",
    "defaultPlan",
    "outage",
    "limit",
  );
  const value = nonsense.filter((one) => typeof one !== "function");
  await fc.assert(
    fc.asyncProperty(option, layerOption, value, fc.boolean(), async (name, ofLayer, given, inLayer) => {
      const options = { name: "mistakes", layers: [inLayer ? { ...layer, [ofLayer]: given } : layer] };
      try {
        const limiter = createLimiter<Caller>({
          ...options,
          ...(inLayer ? {} : { [name]: given }),
          onError: () => {},
          onWarning: () => {},
        } as never);
        expect(await admittedOf(() => limiter.admit({ key: "a" }))).toBe(2);
        count("options that were taken", asked);
      } catch (error) {
        expect(error).toBeInstanceOf(HeadgateError);
        count("options that were refused", 1);
      }
    }),
    { numRuns: 8 * least },
  );
  expect(reached.get("options that were refused")).toBeGreaterThanOrEqual(least);
  expect(reached.get("options that were taken")).toBeGreaterThanOrEqual(least);
});
