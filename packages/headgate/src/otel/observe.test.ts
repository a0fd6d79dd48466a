import {
  AggregationTemporality,
  type DataPoint,
  type Histogram,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import { describe, expect, it } from "vitest";
import type { Admitted } from "../core/admission.ts";
import type { LimiterOptions } from "../limiter/contract.ts";
import { createLimiter } from "../limiter/limiter.ts";
import { fakeClock } from "../testing/fake-clock.ts";
import { scriptedStore } from "../testing/scripted-store.ts";
import { observe } from "./index.ts";

interface Caller {
  user: string;
  plan?: string;
}

const alice: Caller = { user: "alice@example.com" };

function observed(options: Partial<LimiterOptions<Caller>> = {}) {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  const provider = new MeterProvider({ readers: [reader] });
  const clock = fakeClock();
  const errors: unknown[] = [];
  const limiter = createLimiter<Caller>({
    name: "chat",
    layers: [{ name: "user", key: ({ user }) => user, limits: "5/minute; 1000 tokens/hour; 2 concurrent" }],
    clock,
    onError: (error) => errors.push(error),
    onOutage: () => {},
    ...options,
  });
  const stop = observe(limiter, { meter: provider.getMeter("test") });

  /** Returns the points of a metric, as `attributes → value`; for a histogram, the count and the sum. */
  async function read(name: string): Promise<Record<string, unknown>> {
    exporter.reset();
    await reader.forceFlush();
    const metrics = exporter
      .getMetrics()
      .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((one) => one.metrics));
    const points = metrics.find(({ descriptor }) => descriptor.name === name)?.dataPoints ?? [];
    return Object.fromEntries(
      (points as DataPoint<number | Histogram>[]).map(({ attributes, value }) => {
        const { "headgate.limiter": of, ...rest } = attributes;
        expect(of).toBe("chat");
        const short = Object.entries(rest).map(([key, text]) => `${key.replace("headgate.", "")}=${text}`);
        return [short.join(" "), typeof value === "number" ? value : [value.count, value.sum]];
      }),
    );
  }
  return { limiter, clock, read, stop, errors, provider };
}

describe("observe", () => {
  it("counts requests that were answered by their id separately from decisions", async () => {
    const { limiter, read } = observed();
    const request = { id: "m1", fingerprint: "a" };
    const first = limiter.admit(alice, request) as Admitted;
    limiter.admit(alice, request);
    limiter.admit(alice, { ...request, fingerprint: "b" });
    first.end();
    limiter.admit(alice, request);
    limiter.admit(alice, request);
    expect(await read("headgate.known")).toEqual({
      "state=running": 1,
      "state=conflict": 1,
      "state=done": 2,
    });
    expect(Object.values(await read("headgate.decisions"))).toEqual([1]);
  });

  it("counts decisions by outcome, limit and decider, and the reported waits", async () => {
    const { limiter, read, clock } = observed();
    for (let n = 0; n < 7; n += 1) {
      const admission = await limiter.admit(alice);
      if (admission.admitted) await admission.end();
    }
    expect(await read("headgate.decisions")).toEqual({
      "outcome=admitted decided_by=store": 3,
      "outcome=near decided_by=store layer=user limit=user-per-minute": 2,
      "outcome=refused decided_by=store reason=quota-exceeded layer=user limit=user-per-minute": 2,
    });
    clock.advance(20_000);
    await limiter.admit(alice);
    expect(await read("headgate.wait")).toEqual({
      "layer=user limit=user-per-minute waits_for=window": [3, 160],
    });
    expect(await read("headgate.decision.duration")).toEqual({ "decided_by=store": [8, expect.any(Number)] });
  });

  it("counts what a shadow would refuse separately from live decisions, and names no caller", async () => {
    const { limiter, read } = observed({
      layers: [
        {
          name: "user",
          key: ({ user }) => user,
          plan: ({ plan }) => plan,
          plans: { free: "2/minute", pro: "9/minute" },
          defaultPlan: "free",
        },
      ],
    });
    limiter.setShadow([{ name: "user", plans: { free: "1/minute", pro: "9/minute" }, defaultPlan: "free" }]);
    for (let n = 0; n < 3; n += 1) await limiter.admit(alice);
    await limiter.admit({ user: "bob@example.com", plan: "pro" });
    await limiter.override({ user: "eve@example.com" }, { limits: "unlimited" });
    await limiter.admit({ user: "eve@example.com" });
    const refused = "plan=free reason=quota-exceeded layer=user limit=user-per-minute";
    expect(await read("headgate.shadow.decisions")).toEqual({
      "outcome=shadow-admitted live_outcome=admitted plan=free": 1,
      [`outcome=shadow-refused live_outcome=admitted ${refused}`]: 1,
      [`outcome=shadow-refused live_outcome=refused ${refused}`]: 1,
      "outcome=shadow-admitted live_outcome=admitted plan=pro": 1,
    });
    const counted = Object.values(await read("headgate.decisions")) as number[];
    expect(counted.reduce((sum, count) => sum + count, 0)).toBe(5);
  });

  it("counts use and overshoot, but no peek and no penalty, and names no caller", async () => {
    const { limiter, read } = observed();
    const first = (await limiter.admit(alice, { cost: { tokens: 100 } })) as Admitted;
    expect(await read("headgate.reservations")).toEqual({ "": 1 });
    await first.end({ tokens: 130 });
    const second = (await limiter.admit(alice, { cost: { tokens: 100 } })) as Admitted;
    await second.end({ tokens: 40 });
    await second.end({ tokens: 400 });
    await limiter.peek(alice);
    await limiter.penalise(alice, { tokens: 500 });
    expect(await read("headgate.used")).toEqual({ "unit=requests": 2, "unit=tokens": 170 });
    expect(await read("headgate.overshoot")).toEqual({ "unit=tokens": 30 });
    expect(await read("headgate.reservations")).toEqual({ "": 0 });
    for (const name of ["headgate.decisions", "headgate.used", "headgate.wait"])
      expect(JSON.stringify(await read(name))).not.toContain("alice");
  });

  it("names the plan", async () => {
    const { limiter, read } = observed({
      layers: [
        {
          name: "user",
          key: ({ user }) => user,
          plan: ({ plan }) => plan,
          plans: { free: "5/minute", closed: "blocked" },
          defaultPlan: "free",
        },
      ],
    });
    await limiter.admit(alice);
    await limiter.admit({ ...alice, plan: "closed" });
    expect(await read("headgate.decisions")).toEqual({
      "outcome=admitted decided_by=store plan=free": 1,
      "outcome=refused decided_by=policy plan=closed reason=blocked layer=user limit=user-blocked": 1,
    });
    // A permanent block has no wait.
    expect(await read("headgate.wait")).toEqual({});
  });

  it("reports the state of a shared store", async () => {
    const store = scriptedStore();
    const { limiter, read } = observed({ store });
    await limiter.admit(alice);
    expect(await read("headgate.store.state")).toEqual({ "store=scripted": 0 });
    store.mode = "reject";
    for (let n = 0; n < 5; n += 1) await limiter.admit({ user: `u${n}` });
    expect(await read("headgate.store.state")).toEqual({ "store=scripted": 2 });
    expect(await read("headgate.store.failures")).toEqual({ "store=scripted": 5 });
    expect(await read("headgate.decisions")).toMatchObject({
      "outcome=admitted decided_by=outage-policy": 5,
    });
  });

  it("records nothing after it is stopped", async () => {
    const { limiter, read, stop } = observed();
    await limiter.admit(alice);
    stop();
    await limiter.admit(alice);
    expect(await read("headgate.decisions")).toEqual({ "outcome=admitted decided_by=store": 1 });
  });

  it("counts each decision once, however often metrics are collected, also before it stops", async () => {
    const { limiter, read, stop } = observed();
    for (const total of [1, 2]) {
      await limiter.admit({ user: `user-${total}` });
      for (let collected = 0; collected < 2; collected += 1)
        expect(await read("headgate.decisions")).toEqual({ "outcome=admitted decided_by=store": total });
    }
    await limiter.admit(alice);
    stop();
    expect(await read("headgate.decisions")).toEqual({ "outcome=admitted decided_by=store": 3 });
  });

  it("does nothing without a configured provider", async () => {
    const { limiter } = observed();
    const stop = observe(limiter);
    await limiter.admit(alice);
    stop();
  });
});

it("uses one name for all limits of overrides", async () => {
  const { limiter, read } = observed();
  for (let n = 0; n < 50; n += 1) {
    limiter.override(alice, { limits: `1/${60 + n} seconds` });
    await limiter.admit(alice);
  }
  expect(Object.keys(await read("headgate.decisions"))).toEqual([
    "outcome=near decided_by=store layer=user limit=overridden",
    "outcome=refused decided_by=store reason=quota-exceeded layer=user limit=overridden",
  ]);
});

it.each<[unknown, unknown, RegExp]>([
  [{}, {}, /observe takes a limiter made by createLimiter, got an object/],
  [undefined, {}, /takes a limiter/],
  ["limiter", { metre: 1 }, /did you mean "meter"/],
  ["limiter", null, /options of observe must be an object such as \{ meter \}, got null/],
  ["limiter", { meter: null }, /meter of observe must be an OpenTelemetry meter, got null/],
])("observe(%j, %j) throws, and the error says what is expected", (of, options, says) => {
  const { limiter } = observed();
  expect(() => observe((of === "limiter" ? limiter : of) as never, options as never)).toThrow(says);
});

describe("limiter.observe", () => {
  it("accepts class instances, and refuses an observer without any known method", async () => {
    const { limiter } = observed();
    class Counter {
      count = 0;
      decided() {
        this.count += 1;
      }
    }
    const counter = new Counter();
    limiter.observe(counter);
    await limiter.admit(alice);
    expect(counter.count).toBe(1);
    expect(() => limiter.observe({ decide() {} } as never)).toThrow('did you mean "decided"?');
    expect(() => limiter.observe({ decided: 5 } as never)).toThrow(
      "decided of observe must be a function, got 5.",
    );
    for (const observer of [undefined, null, 5, "x", {}])
      expect(() => limiter.observe(observer as never)).toThrow(
        /observe takes an object with functions decided, known, ended/,
      );
  });

  it("calls several observers, even if one throws", async () => {
    const { limiter, errors } = observed();
    const seen: string[] = [];
    limiter.observe({
      decided() {
        throw new Error("broken");
      },
    });
    const stop = limiter.observe({
      decided: ({ limiter: name, durationMs }) => seen.push(`decided ${name} ${durationMs >= 0}`),
      ended: ({ used, granted, policy }) =>
        seen.push(`ended ${JSON.stringify({ used, granted })} ${policy.length}`),
    });
    const admission = (await limiter.admit(alice, { cost: { tokens: 10 } })) as Admitted;
    await admission.end({ tokens: 7 });
    stop();
    await limiter.admit(alice);
    expect(seen).toEqual([
      "decided chat true",
      'ended {"used":{"requests":1,"tokens":7,"concurrent":0},"granted":{"requests":1,"tokens":10,"concurrent":1}} 16',
    ]);
    expect(errors.map(String)).toEqual(["Error: broken", "Error: broken"]);
  });
});
