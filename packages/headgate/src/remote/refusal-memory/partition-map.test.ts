import fc from "fast-check";
import { expect, it } from "vitest";
import { PartitionMap } from "./partition-map.ts";

it("has the same entries as a list in the order of setting", () => {
  const place = { space: fc.constantFrom("user", "ip", "org"), key: fc.constantFrom("a", "b", "c") };
  const step = fc.oneof(
    fc.record({ do: fc.constant("set" as const), ...place, laterMs: fc.integer({ min: 0, max: 2 }) }),
    fc.record({ do: fc.constant("delete" as const), ...place }),
    fc.record({ do: fc.constant("deleteOldest" as const) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const map = new PartitionMap<number>();
      let entries: { space: string; key: string; time: number }[] = [];
      let now = 0;
      for (const one of steps) {
        if (one.do === "deleteOldest") {
          map.deleteOldest((time) => time);
          const oldest = Math.min(...entries.map(({ time }) => time));
          // If entries of several spaces have the same time, either may be removed.
          const gone = entries.filter(({ space, key }) => map.get(space, key) === undefined);
          expect(gone.map(({ time }) => time)).toEqual(entries.length === 0 ? [] : [oldest]);
          entries = entries.filter((entry) => !gone.includes(entry));
          continue;
        }
        const { space, key } = one;
        entries = entries.filter((entry) => entry.space !== space || entry.key !== key);
        if (one.do === "delete") {
          map.delete(space, key);
        } else {
          now += one.laterMs;
          map.setNewest(space, key, now);
          entries.push({ space, key, time: now });
        }
      }
      expect(map.size).toBe(entries.length);
      for (const space of ["user", "ip", "org"]) {
        for (const key of ["a", "b", "c"]) {
          const known = entries.find((entry) => entry.space === space && entry.key === key);
          expect(map.get(space, key)).toBe(known?.time);
        }
      }
    }),
  );
});
