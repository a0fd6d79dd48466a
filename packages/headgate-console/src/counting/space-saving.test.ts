import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addHeavy, createSpaceSaving, type Heavy } from "./space-saving.ts";

const keys = fc.constantFrom("a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l");
const traffic = fc.array(fc.tuple(keys, fc.integer({ min: 1, max: 9 })), { maxLength: 200 });

function count(events: readonly (readonly [string, number])[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const [key, times] of events) counts.set(key, (counts.get(key) ?? 0) + times);
  return counts;
}

function sketch(events: readonly (readonly [string, number])[], size: number): Heavy {
  const counting = createSpaceSaving(size);
  for (const [key, times] of events) counting.add(key, times);
  return counting.read();
}

function expectBounds({ counters, unseen, total }: Heavy, truth: Map<string, number>): void {
  expect(total).toBe([...truth.values()].reduce((sum, times) => sum + times, 0));
  for (const [key, most, error] of counters) {
    const times = truth.get(key) ?? 0;
    expect(times).toBeLessThanOrEqual(most);
    expect(times).toBeGreaterThanOrEqual(most - error);
  }
  const listed = new Set(counters.map(([key]) => key));
  for (const [key, times] of truth) if (!listed.has(key)) expect(times).toBeLessThanOrEqual(unseen);
}

describe("the sketch, compared with exact counts", () => {
  it("is off by at most its stated error, and by at most total / size", () => {
    fc.assert(
      fc.property(traffic, fc.integer({ min: 1, max: 14 }), (events, size) => {
        const truth = count(events);
        const read = sketch(events, size);
        expect(read.counters.length).toBeLessThanOrEqual(size);
        expectBounds(read, truth);
        for (const [, , error] of read.counters) expect(error).toBeLessThanOrEqual(read.total / size);
        expect(read.unseen).toBeLessThanOrEqual(read.total / size);
      }),
    );
  });

  it("keeps its error bounds when sketches are added up", () => {
    fc.assert(
      fc.property(
        fc.array(traffic, { maxLength: 4 }),
        fc.integer({ min: 1, max: 14 }),
        fc.integer({ min: 1, max: 14 }),
        (processes, size, summedSize) => {
          const summed = addHeavy(
            processes.map((events) => sketch(events, size)),
            summedSize,
          );
          expect(summed.counters.length).toBeLessThanOrEqual(summedSize);
          expectBounds(summed, count(processes.flat()));
        },
      ),
    );
  });

  it("counts exactly while there are no more keys than counters", () => {
    expect(
      sketch(
        [
          ["a", 2],
          ["b", 1],
          ["a", 1],
        ],
        2,
      ),
    ).toEqual({
      total: 4,
      unseen: 1,
      counters: [
        ["a", 3, 0],
        ["b", 1, 0],
      ],
    });
  });
});
