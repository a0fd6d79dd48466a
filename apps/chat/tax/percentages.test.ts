import fc from "fast-check";
import { expect, test } from "vitest";
import { percentagesOf } from "./percentages.ts";

test("percentages differ from the exact shares by at most 0.1, and sum to exactly 100.0", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 10_000_000 }), { minLength: 1, maxLength: 6 }),
      (parts) => {
        const total = parts.reduce((sum, part) => sum + part, 0);
        const shown = percentagesOf(parts);
        const tenths = shown.reduce((sum, part) => sum + Math.round(part * 10), 0);
        expect(tenths).toBe(total === 0 ? 0 : 1000);
        shown.forEach((part, index) => {
          if (total > 0)
            expect(Math.abs(part - ((parts[index] ?? 0) / total) * 100)).toBeLessThan(0.1 + 1e-9);
        });
      },
    ),
  );
});
