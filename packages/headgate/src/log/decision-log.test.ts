import { describe, expect, it } from "vitest";
import { admitUnidentified } from "../core/for-adapters.ts";
import { createLimiter, type LayerOptions } from "../index.ts";
import { fakeClock } from "../testing/fake-clock.ts";
import { decisionLog, type LogLine } from "./index.ts";

interface Caller {
  readonly user: string;
  readonly org?: string;
}

const layers: readonly LayerOptions<Caller>[] = [
  { name: "user", key: ({ user }) => user, limits: "2/minute; 1000 tokens/hour; 1 concurrent" },
  {
    name: "org",
    key: ({ org }) => org ?? null,
    plan: ({ org }) => (org === "big" ? "pro" : undefined),
    plans: { free: "5/minute", pro: "50/minute" },
    defaultPlan: "free",
  },
  {
    name: "site",
    key: () => "all",
    limits: () => "9/minute",
    defaultLimits: "1/minute",
    units: ["requests"],
  },
];

function recording(
  options: { secret?: string; mostWaiting?: number; requestId?: () => string | undefined } = {},
) {
  const clock = fakeClock();
  let written = "";
  let failure: Error | undefined;
  const reported: unknown[] = [];
  const log = decisionLog({
    secret: "a secret of sixteen",
    ...options,
    clock,
    onError: (error) => reported.push(error),
    writer: {
      write(lines) {
        if (failure !== undefined) throw failure;
        written += lines;
      },
    },
  });
  const limiter = createLimiter<Caller>({ name: "chat", layers, clock, units: ["tokens"] });
  const stop = log.record(limiter);
  return {
    clock,
    log,
    limiter,
    stop,
    reported,
    fail(error: Error | undefined) {
      failure = error;
    },
    async lines<Type extends LogLine["type"]>(type?: Type): Promise<Extract<LogLine, { type: Type }>[]> {
      await log.flush();
      const all = written
        .split("\n")
        .slice(0, -1)
        .map((line) => JSON.parse(line) as LogLine);
      return all.filter(
        (line): line is Extract<LogLine, { type: Type }> => type === undefined || line.type === type,
      );
    },
    text: () => written,
  };
}

describe("a decision log", () => {
  it("begins with the store, the segment and the policy as data", async () => {
    const { lines, limiter, clock } = recording();
    const [begin, policy] = await lines();
    expect(begin).toMatchObject({
      v: 1,
      n: 1,
      type: "begin",
      limiter: "chat",
      store: "memory",
      shared: false,
    });
    expect(policy).toMatchObject({ v: 1, n: 2, type: "policy", hash: limiter.policy.hash });
    const now = Date.UTC(2026, 0, 1);
    expect([clock.now(), begin?.at, policy?.at]).toEqual([now, now, now]);
  });

  it("gives its first lines a time that does not go back with the limiter's clock", async () => {
    const { limiter, clock, log, lines } = recording();
    const now = clock.now();
    await limiter.admit({ user: "ann" });
    clock.set(now - 60_000);
    log.record(limiter);
    expect((await lines("begin")).map(({ at }) => at)).toEqual([now, now]);
  });

  it("logs the input and the result of each decision", async () => {
    const { limiter, lines, clock } = recording({ requestId: () => "request-7" });
    const caller = { user: "ann", org: "big" };
    await limiter.admit(caller, { cost: { tokens: 100 } });
    await limiter.admit({ user: "ann" });
    const [first, second] = await lines("decision");
    expect(first).toMatchObject({
      at: clock.now(),
      id: 1,
      request: "request-7",
      admitted: true,
      by: "store",
      policy: limiter.policy.hash,
      cost: { tokens: 100 },
      left: 1,
      partitions: [{ layer: "user" }, { layer: "org", plan: "pro" }, { layer: "site", limits: "9/minute" }],
    });
    expect(second).toMatchObject({
      admitted: false,
      reason: "quota-exceeded",
      limit: "user-concurrent",
      waitsFor: "holders",
      waitMs: 30_000,
    });
    expect(second?.partitions.map(({ layer }) => layer)).toEqual(["user", "site"]);
  });

  it("replaces keys with pseudonyms that depend on the secret", async () => {
    const [one, same, other] = [recording(), recording(), recording({ secret: "another secret, long" })];
    for (const { limiter } of [one, same, other]) await limiter.admit({ user: "ann@example.com" });
    const pseudonyms = await Promise.all(
      [one, same, other].map(async ({ lines }) => (await lines("decision"))[0]?.partitions[0]?.partition),
    );
    expect(pseudonyms[0]).toMatch(/^[\w-]{16}$/);
    expect(pseudonyms[1]).toBe(pseudonyms[0]);
    expect(pseudonyms[2]).not.toBe(pseudonyms[0]);
    expect(one.text()).not.toContain("example.com");
    const segments = await Promise.all(
      [one, same, other].map(async ({ lines }) => (await lines("begin"))[0]?.segment),
    );
    expect(new Set(segments).size).toBe(2);
  });

  it("marks callers without a usable key", async () => {
    const { limiter, lines } = recording();
    await admitUnidentified(limiter);
    const [line] = await lines("decision");
    expect(line?.partitions[0]).toEqual({ layer: "user", partition: "unidentified" });
  });

  it("gives distinct pseudonyms to keys that begin with NUL or contain an unpaired surrogate", async () => {
    const { limiter, lines } = recording();
    const keys = ["\0unidentified", "\0ann@example.org", "\ud800", "\udfff", "\ufffd"];
    for (const user of keys) await limiter.admit({ user });
    const partitions = (await lines("decision")).map((line) => line.partitions[0]?.partition);
    for (const one of partitions) expect(one).toMatch(/^[\w-]{16}$/);
    expect(new Set(partitions).size).toBe(keys.length);
  });

  it("logs a reservation: extended, reported, ended, refunded", async () => {
    const { limiter, lines, clock } = recording();
    const admission = await limiter.admit({ user: "ann" }, { cost: { tokens: 100 } });
    if (!admission.admitted) throw new Error("It was refused.");
    clock.advance(1000);
    await admission.extend({ tokens: 50 });
    await admission.extend({ tokens: 5000 });
    await admission.report({ tokens: 120 });
    clock.advance(1000);
    await admission.end({ tokens: 130 });
    const again = await limiter.admit({ user: "ann" }, { cost: { concurrent: 0 } });
    if (again.admitted) await again.end("nothing");
    expect(await lines("extended")).toMatchObject([
      { decision: 1, cost: { tokens: 50 }, admitted: true },
      { decision: 1, cost: { tokens: 5000 }, admitted: false },
    ]);
    expect(await lines("settled")).toMatchObject([
      { decision: 1, at: Date.UTC(2026, 0, 1) + 1000, used: { requests: 1, tokens: 120 }, ended: false },
      { decision: 1, at: Date.UTC(2026, 0, 1) + 2000, used: { requests: 1, tokens: 130 }, ended: true },
      { decision: 2, used: { requests: 0 }, ended: true },
    ]);
  });

  it("logs reported use that no limit counts, and has no line for an end without a change", async () => {
    const { log, lines } = recording();
    const limiter = createLimiter<string>({
      name: "plain",
      layers: [{ name: "user", key: (user) => user, limits: "5/minute" }],
      units: ["tokens"],
    });
    log.record(limiter);
    for (const used of [undefined, { tokens: 70 }]) {
      const admission = await limiter.admit("ann", { cost: { tokens: 100 } });
      if (admission.admitted) await admission.end(used);
    }
    expect(await lines("settled")).toMatchObject([
      { limiter: "plain", decision: 2, used: { requests: 1, tokens: 70 }, ended: true },
    ]);
  });

  it("logs every change by an operator, without the operator's name and reason", async () => {
    const { limiter, lines, clock, text } = recording();
    const ann = { user: "ann" };
    await limiter.override(ann, { limits: "9/minute", forMs: 60_000, reason: "Ann of Leeds", by: "bob" });
    await limiter.admit(ann);
    await limiter.block(ann);
    await limiter.unblock(ann);
    await limiter.penalise(ann, { requests: 2 });
    await limiter.reset(ann);
    limiter.setPolicy([{ name: "user", limits: "7/minute" }]);
    const now = clock.now();
    expect(await lines("override")).toMatchObject([
      { layer: "user", limits: "9/minute", until: now + 60_000 },
      { layer: "user", limits: "blocked", until: null },
      { layer: "user" },
    ]);
    expect((await lines("decision"))[0]?.overrides).toEqual([
      { layer: "user", limits: "9/minute", until: now + 60_000 },
    ]);
    expect(await lines("penalty")).toMatchObject([{ cost: { requests: 2 } }]);
    expect((await lines("reset"))[0]?.partitions.map(({ layer }) => layer)).toEqual(["user", "site"]);
    expect((await lines("policy")).at(-1)).toMatchObject({
      hash: limiter.policy.hash,
      policy: { layers: [{ limits: "7/minute" }] },
    });
    expect(text()).not.toMatch(/Leeds|bob/);
  });

  it("gives the pseudonym of the override by prefix that applied to a decision, a penalty or a block", async () => {
    const { limiter, lines, text } = recording();
    const ann = { user: "ann" };
    await limiter.overridePrefix({ layer: "user", prefix: "an" }, { limits: "9/minute" });
    await limiter.admit(ann);
    await limiter.penalise(ann);
    await limiter.block(ann);
    await limiter.admit(ann);
    const [change] = await lines("override");
    const byPrefix = { layer: "user", limits: "9/minute", until: null, prefix: change?.partition };
    expect(change).toMatchObject({ byPrefix: true, partition: expect.stringMatching(/^[\w-]{16}$/) });
    expect((await lines("penalty"))[0]?.overrides).toEqual([byPrefix]);
    expect((await lines("decision")).map(({ overrides }) => overrides)).toEqual([
      [byPrefix],
      [{ layer: "user", limits: "blocked", until: null }, byPrefix],
    ]);
    expect(text()).not.toContain('"an"');
  });

  it("drops lines instead of delaying a decision, and later logs how many were lost", async () => {
    const { limiter, lines, log, clock, fail, reported } = recording({ mostWaiting: 100_000 });
    fail(new Error("ENOSPC: no space left on device"));
    for (let n = 0; n < 1000; n += 1) await limiter.admit({ user: `u${n}` });
    await log.flush();
    const { lost, waiting } = log.status();
    expect(lost).toBeGreaterThan(400);
    expect(waiting).toBeLessThan(600);
    expect(reported).toHaveLength(1);
    fail(undefined);
    clock.advance(1000);
    await log.flush();
    await limiter.admit({ user: "late" });
    const [report] = await lines("lost");
    expect(report).toMatchObject({ lines: lost, reason: "ENOSPC: no space left on device" });
    // A reader who starts here finds the policy.
    expect((await lines()).slice(-3).map(({ type }) => type)).toEqual(["begin", "policy", "decision"]);
    const counted = await lines();
    expect(new Set(counted.map(({ n }) => n)).size).toBe(counted.length);
    expect(counted.length + lost).toBe(Math.max(...counted.map(({ n }) => n)));
  });

  it("logs nothing after it is stopped", async () => {
    const { limiter, lines, stop } = recording();
    stop();
    await limiter.admit({ user: "ann" });
    expect(await lines("decision")).toEqual([]);
  });

  it.each<[unknown, RegExp]>([
    [undefined, /decisionLog takes an object/],
    [{ writer: "./log" }, /writer must have write\(lines\).*"\.\/log"/],
    [
      { writer: { write() {} }, secret: "short" },
      /secret must be text or bytes, with a length of at least 16/,
    ],
    [{ writer: { write() {} }, mostWaiting: 5 }, /mostWaiting .* 100000 .*5/],
    [{ writer: { write() {} }, sekret: "x" }, /no option "sekret": did you mean "secret"/],
  ])("throws for %j", (options, message) => {
    expect(() => decisionLog(options as never)).toThrow(message);
  });
});
