import { describe, expect, it } from "vitest";
import { coarseLog } from "./algorithms/coarse-log.ts";
import { compileLimits, counting, type LimitsInput } from "./limit-set.ts";
import { definePolicy } from "./policy.ts";

const key = (caller: { ip: string }) => caller.ip;

describe("definePolicy", () => {
  it.each<[unknown, string]>([
    [[], "layers must be a list of at least one layer"],
    [undefined, "layers must be a list of at least one layer"],
    [
      [{ name: "", key, limits: "5/minute" }],
      'Layer 1 needs a name of at most 100 lower-case letters, digits, ".", "_" and "-", got "".',
    ],
    [[{ name: "a b", key, limits: "5/minute" }], 'got "a b"'],
    [
      [{ name: "ip", limits: "5/minute" }],
      'Layer "ip" needs a key function, such as (caller) => caller.ip, got undefined.',
    ],
    [[{ name: "ip", key, limits: [] }], 'Layer "ip" has no limits'],
    [[{ name: "ip", key, limits: [5] }], 'Layer "ip" needs limits, such as "5/minute; 60/hour", got 5'],
    [[{ name: "ip", key }], 'Layer "ip" needs limits, such as "5/minute; 60/hour", got undefined'],
    [[{ name: "ip", key, limits: "5/minute; 5/60 seconds" }], 'Layer "ip" has the limit 5/minute twice.'],
    [
      [
        { name: "ip", key, limits: "5/minute" },
        { name: "ip", key, limits: "6/minute" },
      ],
      'Two layers are named "ip"',
    ],
    [
      [{ name: "ip", key, limits: [{ quota: 0, windowMs: 1 }] }],
      "quota must be a whole number from 1 to 999999999999999, got 0",
    ],
    [[{ name: "ip", key, limits: [{ quota: 1, windowMs: 1e15 }] }], "windowMs must be whole milliseconds"],
    [[{ name: "ip", key, limits: [{ quota: 1, windowMs: 0.5 }] }], "got 0.5"],
    [
      [{ name: "ip", key, limits: [{ quota: 1, windowMs: 1, algorithm: "leaky" }] }],
      'algorithm must be one of sliding-window, token-bucket, fixed-window, sliding-counter, concurrent, got "leaky"',
    ],
    [
      [{ name: "ip", key, limits: [{ quota: 1, windowMs: 1, unit: "Big Ones" }] }],
      'unit must be a lower-case word such as requests or tokens, got "Big Ones"',
    ],
    [
      [{ name: "ip", key, limits: [{ quota: 1, windowMs: 1, name: 'a"b' }] }],
      "name must be made of at most 100 lower-case letters",
    ],
    [
      [{ name: "ip", key, limits: [{ quota: 1, windowMs: 1, calendar: "month" }] }],
      'calendar goes with algorithm "fixed-window" only',
    ],
    [
      [
        {
          name: "ip",
          key,
          limits: [
            { quota: 1, windowMs: 1, name: "x" },
            { quota: 2, windowMs: 3, name: "x" },
          ],
        },
      ],
      'has two limits named "x"',
    ],
    [
      [{ name: "ip", key, limits: [{ quota: 2000, windowMs: 1, algorithm: "token-bucket", exact: true }] }],
      'exact goes with algorithm "sliding-window" only, got "token-bucket"',
    ],
    [
      [{ name: "ip", key, limits: [{ quota: 2000, windowMs: 1, exact: "yes" }] }],
      'exact must be true or false, got "yes"',
    ],
    [[{ name: "ip", key, limits: "99991000003 tokens/90071993 ms" }], "finer than whole numbers can count"],
  ])("throws for %j", (layers, message) => {
    expect(() => definePolicy(layers as never)).toThrow(message);
  });

  it("throws if limits of two layers have the same name", () => {
    const layers = [
      { name: "a", key, limits: [{ quota: 1, windowMs: 1000, name: "same" }] },
      { name: "b", key, limits: [{ quota: 1, windowMs: 1000, name: "same" }] },
    ];
    expect(() => definePolicy(layers)).toThrow('The layers "a" and "b" both name a limit "same".');
  });

  it("warns of a limit that can never bind, and of no other", () => {
    expect(definePolicy([{ name: "ip", key, limits: "60/minute; 5/hour" }]).warnings).toEqual([
      'Layer "ip": 60/minute can never bind, because 5/hour is reached first. Remove it, or raise the other.',
    ]);
    expect(definePolicy([{ name: "ip", key, limits: "5/minute; 60/hour; 100 tokens/day" }]).warnings).toEqual(
      [],
    );
  });
});

it("warns of an exact sliding window only above 1,000", () => {
  const warnings = (limits: string) => definePolicy([{ name: "ip", key, limits }]).warnings;
  expect(warnings("1001/hour sliding-window exact")).toEqual([
    'Layer "ip": 1001/hour sliding-window exact keeps a timestamp for each unit, up to 1001 for each caller, and shared stores ' +
      'read and write all of them with each decision. Without "exact" it keeps at most 241, and admits at most 0.5% less.',
  ]);
  expect(warnings("1000/hour sliding-window exact")).toEqual([]);
  expect(warnings("1001/hour; 100000/day sliding-counter")).toEqual([]);
});

describe("compileLimits", () => {
  it("names limits by layer, unit and window", () => {
    const names = (input: LimitsInput) => compileLimits("user", input).names;
    expect(names("5/minute; 60/hour")).toEqual(["user-per-minute", "user-per-hour"]);
    expect(names("10/30 seconds; 100 tokens/day")).toEqual(["user-per-30-seconds", "user-tokens-per-day"]);
    expect(names("9/month fixed-window")).toEqual(["user-per-month"]);
    expect(names("5/minute; 9/minute token-bucket")).toEqual([
      "user-per-minute-sliding-window",
      "user-per-minute-token-bucket",
    ]);
  });

  it("shares a state only between sliding windows of one unit", () => {
    const { groups, groupOf } = compileLimits(
      "user",
      "5/minute; 60/hour; 7 tokens/minute sliding-window; 9/day token-bucket; 8/day fixed-window",
    );
    expect(groupOf).toEqual([0, 0, 1, 2, 3]);
    expect(groups.map((group) => group.limits.length)).toEqual([2, 1, 1, 1]);
  });

  it("gives every large window its own state, whatever its quota", () => {
    const groupsOf = (limits: string) => compileLimits("user", limits).groups;
    const { groups, groupOf } = compileLimits(
      "user",
      "5/minute; 1001/hour; 1000/2 hours; 5000/day; 2000 tokens/hour sliding-window; 6000/week sliding-window exact",
    );
    expect(groupOf).toEqual([0, 1, 0, 2, 3, 0]);
    expect(groups.map((group) => counting(group).algorithm === coarseLog)).toEqual([false, true, true, true]);
    expect(groupsOf("1001/hour")[0]?.id).toBe(groupsOf("70000/hour")[0]?.id);
    const ids = ["1001/hour", "1001/2 hours", "1001 tokens/hour sliding-window", "1000/hour"].map(
      (limits) => groupsOf(limits)[0]?.id,
    );
    expect(new Set(ids).size).toBe(4);
  });
});
