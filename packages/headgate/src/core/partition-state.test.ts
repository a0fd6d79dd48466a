import { expect, it } from "vitest";
import { mostStatesOfUnit } from "./conversion.ts";
import type { LayerMemory } from "./layer-memory.ts";
import { compileLimits } from "./limit-set.ts";
import { decideStates, overrideStates, type PartitionState } from "./partition-state.ts";

const limits = [
  "5/minute",
  "5/minute token-bucket",
  "5/minute fixed-window",
  "5/hour fixed-window",
  "5/minute sliding-counter",
  "5/hour sliding-counter",
];

it("decideStates keeps as many states of a unit as other stores do, however often the limits change", () => {
  let state: PartitionState;
  const memory: LayerMemory = new Map();
  const load = () => state;
  for (let n = 0; n < 3 * limits.length; n += 1) {
    const set = compileLimits("user", limits[n % limits.length] as string, memory);
    const charge = { space: "user", key: "a", limits: set, needs: [0], spends: [1] };
    const { kept } = decideStates(load, [charge], 1_000_000 + n, false);
    state = kept[0]?.state;
    expect(JSON.parse(state ?? "").rows.length).toBeLessThanOrEqual(mostStatesOfUnit);
  }
  expect(JSON.parse(state ?? "").rows).toHaveLength(mostStatesOfUnit);
});

it("decideStates does not misread an operator's text as part of the state", () => {
  const terms = { id: 1, limits: "blocked", reason: "never", by: '{"pairs":[]}' };
  const kept = overrideStates(() => undefined, [{ space: "user", key: "a" }], terms, 0);
  const set = compileLimits("user", "5/minute");
  const charge = { space: "user", key: "a", limits: set, needs: [1], spends: [1] };
  const { outcome } = decideStates(() => kept[0]?.state, [charge], 0, false);
  expect(outcome.overrides).toEqual([{ ...terms, until: Number.POSITIVE_INFINITY }]);
});
