import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileLimits } from "../../core/limit-set.ts";
import { memoryStore } from "../../stores/memory/index.ts";
import { play } from "./histories.ts";
import type { Setting } from "./world.ts";

function limitsOf(text: string) {
  return compileLimits("layer", text);
}

function placesOf(layers: readonly string[]): Setting["places"] {
  return layers.map((limits, l) => ({
    space: `layer${l}`,
    key: "caller",
    limits: limitsOf(limits),
  }));
}

const settings: readonly [layers: string[], unit: string, resets: boolean, more?: Partial<Setting>][] = [
  [["7 tokens/minute sliding-window; 4/minute"], "tokens", true],
  [
    ["9 tokens/minute sliding-window; 20 tokens/hour sliding-window", "6 tokens/minute sliding-window"],
    "tokens",
    true,
  ],
  [["8 tokens/minute; 3/minute token-bucket", "4/minute"], "tokens", false],
  [["8 tokens/minute fixed-window; 9 tokens/minute"], "tokens", false],
  [["6 tokens/minute fixed-window from first-use", "8 tokens/hour sliding-counter"], "tokens", false],
  [["7 tokens/minute sliding-counter; 4/minute sliding-counter"], "tokens", false],
  [["3 concurrent", "5/minute"], "concurrent", true],
  [["3 concurrent; 4/minute", "2 concurrent"], "concurrent", true],
  [["6 tokens/minute sliding-window; 4/minute", "5/minute"], "tokens", false, { claims: true }],
  [["3 concurrent; 4/minute", "2 concurrent"], "concurrent", false, { claims: true }],
  [
    ["6 tokens/minute sliding-window; 4/minute", "8 tokens/minute"],
    "tokens",
    true,
    {
      overriding: [
        limitsOf("3 tokens/minute sliding-window; 2/minute"),
        limitsOf("9 tokens/minute sliding-window; 8/minute"),
      ],
    },
  ],
];

describe("long histories of many clients, in the model and in the memory store", () => {
  it.each(settings)("keep every invariant under %j, with %s held", (layers, unit, resets, more = {}) => {
    const places = placesOf(layers);
    fc.assert(
      fc.property(
        fc.array(fc.nat(), { minLength: 40, maxLength: 120 }),
        fc.integer({ min: 2, max: 5 }),
        (choices, clients) => {
          const setting: Setting = {
            places,
            unit,
            clients,
            tickMs: 15_000,
            longestCallMs: 45_000,
            calls: 9,
            asks: unit === "concurrent" ? [1] : [1, 3],
            resets,
            mirror: memoryStore(),
            ...more,
          };
          expect(play(setting, choices)).toBe(undefined);
        },
      ),
      { numRuns: 40 },
    );
  });
});
