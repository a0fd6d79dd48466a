import fc from "fast-check";
import { expect, it } from "vitest";
import { OrderedMap } from "./ordered-map.ts";

it("OrderedMap has the same contents as a list of entries in the order in which they were set", () => {
  const key = fc.constantFrom("a", "b", "c", "d");
  const step = fc.oneof(
    fc.record({ do: fc.constant("set" as const), key }),
    fc.record({ do: fc.constant("delete" as const), key }),
    fc.record({ do: fc.constant("look" as const) }),
    fc.record({ do: fc.constant("delete the oldest" as const) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const map = new OrderedMap<number>();
      let entries: { key: string; value: number }[] = [];
      for (const [value, one] of steps.entries()) {
        if (one.do === "look" || one.do === "delete the oldest") {
          const oldest = map.oldest();
          expect(oldest).toBe(entries[0]?.key);
          if (oldest === undefined || one.do === "look") continue;
          expect(map.delete(oldest)).toBe(true);
          entries = entries.slice(1);
          continue;
        }
        const known = entries.some((entry) => entry.key === one.key);
        entries = entries.filter((entry) => entry.key !== one.key);
        if (one.do === "delete") {
          expect(map.delete(one.key)).toBe(known);
        } else {
          expect(map.setNewest(one.key, value)).toBe(!known);
          entries.push({ key: one.key, value });
        }
      }
      expect(map.size).toBe(entries.length);
      for (const of of ["a", "b", "c", "d"]) {
        expect(map.get(of)).toBe(entries.find((entry) => entry.key === of)?.value);
      }
    }),
    { numRuns: 2_000 },
  );
});
