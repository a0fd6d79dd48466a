import fc from "fast-check";
import { type Admitted, createLimiter, type LayerOptions, memoryStore } from "headgate";
import { decisionLog, type LogLine } from "headgate/log";
import { fakeClock } from "headgate/testing";
import { expect, it } from "vitest";
import { differencesOf, replay, trafficOf } from "./index.ts";

interface Caller {
  readonly user: string;
  readonly org: string | null;
}

const layers: LayerOptions<Caller>[] = [
  {
    name: "user",
    key: ({ user }) => user,
    limits: "6/10 seconds; 20/minute; 900 tokens/minute sliding-window; 2 concurrent",
  },
  {
    name: "org",
    key: ({ org }) => org,
    plan: ({ org }) => (org === "o:1" ? "pro" : undefined),
    plans: { free: "8/10 seconds", pro: "20/10 seconds; 40/minute; 2000 tokens/minute" },
    defaultPlan: "free",
  },
];

/** Some callers have several of these prefixes. */
const prefixes = { user: ["u:", "u:1", "u:2", "v:"], org: ["o", "o:", "o:1", "p:"] } as const;

type LayerChange = Parameters<ReturnType<typeof createLimiter<Caller>>["setPolicy"]>[0][number];

/**
 * No policy has a longer window than the first: the store may forget what only a longer window counts, and the replay
 * would not.
 */
const policies: readonly (readonly LayerChange[])[] = [
  layers,
  [
    { name: "user", limits: "4/10 seconds; 300 tokens/30 seconds sliding-window; 3 concurrent" },
    { name: "org", plans: { free: "12/20 seconds", pro: "20/10 seconds" }, defaultPlan: "free" },
  ],
  [{ name: "user", limits: "10/minute; 900 tokens/minute sliding-window; 1 concurrent" }],
];

const who = fc
  .record({ user: fc.nat(2), org: fc.nat(2) })
  .map(({ user, org }): Caller => ({ user: `u:${user}`, org: org === 2 ? null : `o:${org}` }));
const layer = fc.constantFrom("user", "org");
const of = fc.nat(9);
const tokens = fc.nat(300);
const forMs = fc.integer({ min: 1_000, max: 30_000 });

const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant("advance" as const), ms: fc.nat(20_000) }) },
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant("admit" as const), who, tokens, holds: fc.boolean() }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("extend" as const), of, tokens }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("report" as const), of, tokens }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("end" as const),
      of,
      used: fc.oneof(tokens, fc.constantFrom("nothing" as const, undefined)),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("override" as const),
      who,
      layer,
      limits: fc.constantFrom("9/10 seconds", "3/10 seconds", "12/minute", "unlimited"),
      forMs,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("overridePrefix" as const),
      layer,
      prefix: fc.nat(3),
      limits: fc.constantFrom("9/10 seconds", "3/10 seconds", "4/minute", "unlimited", "blocked"),
      forMs,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("endPrefix" as const), layer, prefix: fc.nat(3) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("setPolicy" as const), to: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("block" as const), who, layer, forMs }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("endOverride" as const), who, layer }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("reset" as const), who, layer }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("penalise" as const), who, tokens: fc.nat(50) }) },
);
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

async function record(steps: readonly Step[]): Promise<LogLine[]> {
  const clock = fakeClock();
  const lines: LogLine[] = [];
  const write = (text: string) => {
    for (const line of text.split("\n").slice(0, -1)) lines.push(JSON.parse(line) as LogLine);
  };
  const log = decisionLog({ secret: "a secret of sixteen", clock, writer: { write } });
  const limiter = createLimiter<Caller>({
    name: "chat",
    layers,
    clock,
    store: memoryStore(),
    onWarning() {},
  });
  log.record(limiter);
  const open: Admitted[] = [];
  for (const step of steps) {
    // An override can only name a layer that applies to the caller.
    const isWithoutOrg = limiter.policy.layers.length === 1 || ("who" in step && step.who.org === null);
    const one = "layer" in step && isWithoutOrg ? { ...step, layer: "user" as const } : step;
    if (one.do === "advance") clock.advance(one.ms);
    else if (one.do === "admit") {
      const cost = one.holds ? { tokens: one.tokens } : { tokens: 0, concurrent: 0 };
      const admission = await limiter.admit(one.who, { cost });
      if (admission.admitted) open.push(admission);
    } else if (one.do === "override")
      await limiter.override(one.who, { layer: one.layer, limits: one.limits, forMs: one.forMs });
    else if (one.do === "overridePrefix" || one.do === "endPrefix") {
      const target = { layer: one.layer, prefix: prefixes[one.layer][one.prefix] as string };
      if (one.do === "endPrefix") await limiter.endPrefixOverride(target);
      else await limiter.overridePrefix(target, { limits: one.limits, forMs: one.forMs });
    } else if (one.do === "setPolicy") limiter.setPolicy(policies[one.to] as LayerChange[]);
    else if (one.do === "block") await limiter.block(one.who, { layer: one.layer, forMs: one.forMs });
    else if (one.do === "endOverride") await limiter.endOverride(one.who, { layer: one.layer });
    else if (one.do === "reset") await limiter.reset(one.who, { layer: one.layer });
    else if (one.do === "penalise") await limiter.penalise(one.who, { requests: 1, tokens: one.tokens });
    else {
      const admission = open[one.of % Math.max(1, open.length)];
      if (admission === undefined) continue;
      if (one.do === "extend") await admission.extend({ tokens: Math.max(1, one.tokens) });
      else if (one.do === "report") await admission.report({ tokens: one.tokens });
      else {
        open.splice(open.indexOf(admission), 1);
        await admission.end(typeof one.used === "number" ? { tokens: one.used } : one.used);
      }
    }
  }
  await log.flush();
  await limiter.close();
  return lines;
}

it("a replay equals the log, with any holds, reports, overrides, blocks, resets, penalties and policy changes", async () => {
  let decisions = 0;
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 80, size: "max" }), async (steps) => {
      const replayed = replay(trafficOf(await record(steps), "chat", true));
      decisions += replayed.decisions.length;
      refused += replayed.decisions.filter(({ admitted }) => !admitted).length;
      expect(differencesOf(replayed.decisions)).toEqual([]);
      expect([replayed.extensionsDiffering, [...replayed.notes]]).toEqual([0, []]);
    }),
    { numRuns: 150 },
  );
  expect(decisions).toBeGreaterThan(1_000);
  expect(refused).toBeGreaterThan(100);
}, 60_000);
