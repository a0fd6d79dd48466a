import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { definePolicy, type LayerOptions } from "../core/policy.ts";
import {
  layersOf,
  type PolicyDocument,
  policySchema,
  readPolicyDocument,
  writePolicyDocument,
} from "./index.ts";

const key = () => "anybody";
const limits = fc.constantFrom(
  "5/minute; 60/hour",
  "100000 tokens/day",
  "2 concurrent",
  "200/day fixed-window in Europe/Berlin",
  "100/month fixed-window",
  "30/minute fixed-window from first-use",
  "5000/hour sliding-counter",
  "2000/hour sliding-window exact",
  "unlimited",
  "blocked",
);
const layer = (name: string): fc.Arbitrary<LayerOptions<string>> =>
  fc.oneof(
    limits.map((text) => ({ name, key, limits: text })),
    fc.constant({
      name,
      key,
      limits: [{ quota: 5, windowMs: 1000, name: `${name}-burst` }, "60/hour"],
      outage: "refuse" as const,
    }),
    fc
      .tuple(limits, limits)
      .map(([free, pro]) => ({ name, key, plans: { free, pro }, plan: key, defaultPlan: "pro" })),
    limits.map((text) => ({
      name,
      key,
      limits: key,
      defaultLimits: text,
      units: ["requests", "tokens", "concurrent"],
      outage: { policy: "local" as const, instances: 3 },
    })),
  );

describe("a policy document", () => {
  it("survives a round trip through JSON", () => {
    fc.assert(
      fc.property(layer("user"), layer("ip"), (user, ip) => {
        const policy = definePolicy([user, ip], ["seconds"]);
        const document = readPolicyDocument(JSON.parse(JSON.stringify(writePolicyDocument(policy))));
        const again = definePolicy(layersOf(document, { keys: { user: key, ip: key } }), document.units);
        expect(again.hash).toBe(policy.hash);
        expect([...again.units].sort()).toEqual([...policy.units].sort());
      }),
    );
  });

  it("takes keys, plans and limits from code, by name", () => {
    const document = readPolicyDocument({
      layers: [
        { name: "user", key: "account", plans: { free: "1/day", pro: "9/day" }, defaultPlan: "free" },
        { name: "site", defaultLimits: "5/minute", units: ["requests"] },
      ],
    });
    const policy = definePolicy(
      layersOf<string>(document, {
        keys: { account: (caller) => caller, site: () => "all" },
        plans: { user: () => "pro" },
        limits: { site: () => "7/minute" },
      }),
    );
    expect(policy.layers.map((one) => one.key("ann"))).toEqual(["ann", "all"]);
    expect(policy.layers.map(({ choice }) => choice?.choose("ann"))).toMatchObject([
      { plan: "pro" },
      { limits: [{ quota: 7 }] },
    ]);
    expect(() => layersOf(document, { keys: { site: key } })).toThrow(
      /Layer "user" .* needs the key "account": keys has "site"/,
    );
  });

  it.each<[unknown, RegExp]>([
    [null, /A policy must be an object .* got null/],
    [{ layers: [] }, /layers of the policy must be a list .* got an empty list/],
    [{ layer: [] }, /no option "layer": did you mean "layers"/],
    [{ layers: ["5/minute"] }, /layers\[0\] of the policy must be an object .* "5\/minute"/],
    [{ layers: [{ limits: "5/minute" }] }, /layers\[0\] of the policy needs a name/],
    [{ layers: [{ name: "User", limits: "5/minute" }] }, /name of at most 100 lower-case letters.*"User"/],
    [
      { layers: [{ name: "user" }] },
      /Layer "user" of the policy needs one of limits, plans, defaultLimits; it has none/,
    ],
    [{ layers: [{ name: "user", limits: "5/minute", plans: {} }] }, /it has limits and plans/],
    [{ layers: [{ name: "user", limits: "5 per fortnight" }] }, /fortnight/],
    [{ layers: [{ name: "user", limit: "5/minute" }] }, /no option "limit"/],
    [{ layers: [{ name: "user", key: 5, limits: "5/minute" }] }, /must be the name of a key function, got 5/],
    [
      { layers: [{ name: "user", plans: { free: "5/minute" }, defaultPlan: "pro" }] },
      /needs a defaultPlan, one of "free", got "pro"/,
    ],
    [
      { layers: [{ name: "user", limits: "5/minute", outage: "open" }] },
      /outage policy of layer "user" .* got "open"/,
    ],
    [{ layers: [{ name: "user", limits: "5/minute" }], units: ["Tokens"] }, /"Tokens"/],
  ])("throws for %j", (json, message) => {
    expect(() => readPolicyDocument(json)).toThrow(message);
  });

  it("is described by a schema with every field", () => {
    const { items } = policySchema.properties.layers;
    const known: Record<keyof PolicyDocument["layers"][number], true> = {
      name: true,
      key: true,
      limits: true,
      plans: true,
      defaultPlan: true,
      defaultLimits: true,
      units: true,
      outage: true,
    };
    expect(Object.keys(items.properties).sort()).toEqual(Object.keys(known).sort());
    expect(Object.keys(policySchema.properties).sort()).toEqual(["$schema", "layers", "units"]);
  });
});
