import { describe, expect, it } from "vitest";
import { compileLimits } from "../../core/limit-set.ts";
import { explore } from "./explore.ts";
import { mutants } from "./mutants.ts";
import { coreTransitions } from "./transitions.ts";
import type { Setting } from "./world.ts";

/**
 * The protocol of reservations as a model: a store over the transitions of `core`, clients, and a network that delivers
 * messages late, twice, in any order or not at all. An operator overrides limits, and requests may answer the same
 * message. `core/claim.test.ts` tests more owners of one id. Charges in several slots are tested on a real cluster
 * (`stores/redis/across-slots-faults.test.ts`).
 */
function setting(limits: string, changes: Partial<Setting> = {}): Setting {
  return {
    places: [{ space: "layer", key: "caller", limits: compileLimits("layer", limits) }],
    unit: "tokens",
    clients: 1,
    tickMs: 30_000,
    longestCallMs: 30_000,
    calls: 2,
    asks: [1],
    ...changes,
  };
}

const tokens = "2 tokens/minute sliding-window";

describe("the model of reservations", () => {
  it.each<[limits: string, changes: Partial<Setting>]>([
    [tokens, {}],
    ["1 concurrent", { unit: "concurrent" }],
  ])("keeps every invariant in all states of one reservation, under %s", (limits, changes) => {
    const { broken, isComplete, states } = explore(setting(limits, changes));
    expect(broken).toBe(undefined);
    expect(isComplete).toBe(true);
    expect(states).toBeGreaterThan(1000);
  });

  it.each<[limits: string, steps: number, changes: Partial<Setting>]>([
    [tokens, 8, { clients: 2 }],
    [tokens, 9, { calls: 3 }],
    [`${tokens}; 2/minute`, 8, { asks: [1, 2] }],
    ["1 concurrent; 2/minute", 7, { clients: 2, unit: "concurrent" }],
    ["2 tokens/minute; 2/minute token-bucket", 8, {}],
    ["2 tokens/minute fixed-window; 2/minute fixed-window", 8, {}],
    ["2 tokens/minute fixed-window from first-use", 8, {}],
    ["2 tokens/minute sliding-counter; 2/minute sliding-counter", 8, {}],
    [`${tokens}; 3/minute`, 7, { clients: 2, claims: true }],
    ["1 concurrent; 3/minute", 7, { clients: 2, unit: "concurrent", claims: true }],
    [
      tokens,
      6,
      { clients: 2, asks: [1, 2], overriding: [compileLimits("layer", "1 tokens/minute sliding-window")] },
    ],
  ])("keeps every invariant under %s, in all histories of up to %i steps", (limits, mostSteps, changes) => {
    const { broken, states } = explore(setting(limits, changes), { mostSteps });
    expect(broken).toBe(undefined);
    expect(states).toBeGreaterThan(1000);
  });
});

describe("the model finds the fault", () => {
  it.each(mutants)("$name", ({ breaks, transitions, faults, limits = tokens, setting: changes }) => {
    const faulty = { transitions: { ...coreTransitions, ...transitions }, ...(faults && { faults }) };
    const { broken } = explore(setting(limits, { calls: 3, ...faulty, ...changes }), { mostSteps: 9 });
    expect(broken).toMatch(breaks);
  });
});
