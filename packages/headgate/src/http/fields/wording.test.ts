import { expect, it } from "vitest";
import { createLimiter } from "../../limiter/limiter.ts";
import { fakeClock } from "../../testing/fake-clock.ts";
import { rateLimitFields } from "../fields/fields.ts";
import { stateIn } from "./wording.ts";

/** The fields of a decision, and of a plain object with the same properties. */
function bothWays(admission: Parameters<typeof rateLimitFields>[0]) {
  const { limits, tightest } = admission;
  return [rateLimitFields(admission), rateLimitFields({ limits, tightest })];
}

function limiterOf(limits: string, name = "user") {
  const layers = [
    { name, key: ({ user }: { user: string | null }) => user, limits },
    { name: `${name}s`, key: () => "all", limits: "30/minute, 9000 tokens/hour" },
  ];
  return createLimiter({ name: "chat", layers, clock: fakeClock() });
}

it("makes the same fields from a decision as from its limits", async () => {
  const limiter = limiterOf("2/minute; 60/hour");
  for (const user of ["a", "a", "a", "b", null, "a"]) {
    const [direct, listed] = bothWays(await limiter.admit({ user }, { cost: { requests: 1, tokens: 7 } }));
    expect(direct).toEqual(listed);
    expect(direct?.RateLimit).toContain('"users-tokens-per-hour";r=');
  }
});

it("does not mix up limiters that take turns", async () => {
  const one = limiterOf("2/minute");
  const other = limiterOf("3/hour", "caller");
  for (const limiter of [one, other, one, other]) {
    const [direct, listed] = bothWays(await limiter.admit({ user: "a" }));
    expect(direct).toEqual(listed);
    expect(direct?.["RateLimit-Policy"]).toContain(
      limiter === one ? '"user-per-minute";q=2' : '"caller-per-hour";q=3',
    );
  }
});

it("shows the settled use, whether limits was read before or not", async () => {
  for (const isLookedAt of [false, true]) {
    const admission = await limiterOf("5/minute").admit({ user: "a" });
    if (!admission.admitted) throw new Error("refused");
    if (isLookedAt) expect(admission.limits[0]?.remaining).toBe(4);
    expect(rateLimitFields(admission).RateLimit).toMatch(/^"user-per-minute";r=4;t=60, /);
    await admission.end("nothing");
    expect(rateLimitFields(admission).RateLimit).toMatch(/^"user-per-minute";r=5;t=0, /);
    expect(admission.limits[0]?.remaining).toBe(5);
  }
});

it("shows one layer if the next does not apply, right after both were shown", async () => {
  const limiter = createLimiter({
    name: "chat",
    layers: [
      { name: "user", key: () => "a", limits: "5/minute" },
      { name: "org", key: ({ org }: { org: string | null }) => org, limits: "9/minute" },
    ],
    clock: fakeClock(),
  });
  expect(rateLimitFields(await limiter.admit({ org: "o" })).RateLimit).toContain('"org-per-minute"');
  const alone = rateLimitFields(await limiter.admit({ org: null }));
  expect(alone.RateLimit).toBe('"user-per-minute";r=3;t=60');
  expect(alone["RateLimit-Policy"]).toBe('"user-per-minute";q=5;w=60');
});

it("leaves out layers without limits", async () => {
  const open = { name: "open", key: () => "a", limits: "unlimited" };
  const user = { name: "user", key: () => "a", limits: "5/minute" };
  const of = (...layers: (typeof open)[]) => createLimiter({ name: "chat", layers, clock: fakeClock() });
  const [direct, listed] = bothWays(await of(open, user).admit({}));
  expect(direct).toEqual(listed);
  expect(direct?.RateLimit).toBe('"user-per-minute";r=4;t=60');
  expect(rateLimitFields(await of(open).admit({}))).toEqual({});
});

it("leaves out a plan without limits, though its callers are counted for the other plans", async () => {
  const limiter = createLimiter({
    name: "chat",
    layers: [
      {
        name: "user",
        key: () => "a",
        plan: ({ plan }: { plan: string }) => plan,
        plans: { free: "5/minute", staff: "unlimited" },
        defaultPlan: "free",
      },
    ],
    clock: fakeClock(),
  });
  expect(bothWays(await limiter.admit({ plan: "staff" }))).toEqual([{}, {}]);
  expect(rateLimitFields(await limiter.admit({ plan: "free" })).RateLimit).toContain("r=3");
});

it("shows nothing remaining where a store reports too few readings", () => {
  const wording = { sets: [], policy: "", openings: [['"user-per-minute";r=']] };
  expect([stateIn(wording, []), stateIn(wording, [[]])]).toEqual([
    '"user-per-minute";r=0;t=0',
    '"user-per-minute";r=0;t=0',
  ]);
});

it("is empty if no layer applies", async () => {
  const layers = [{ name: "user", key: () => null, limits: "5/minute" }];
  expect(rateLimitFields(await createLimiter({ name: "chat", layers }).admit({}))).toEqual({});
});
