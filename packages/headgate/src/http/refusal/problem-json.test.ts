import fc from "fast-check";
import { expect, it } from "vitest";
import { problemJson } from "./problem-json.ts";
import type { RefusalProblem } from "./refusal.ts";

const shared = {
  detail: fc.string({ unit: "binary" }),
  "violated-policies": fc.array(fc.string({ unit: "binary" })),
  retry_after_seconds: fc.oneof(fc.nat(), fc.constantFrom(null, Number.POSITIVE_INFINITY)),
  waits_for: fc.constantFrom("window" as const, "holders" as const),
  affordable: fc.dictionary(fc.string({ unit: "binary" }), fc.double()),
};

/** In the order in which `refusal` makes them. */
const problems: fc.Arbitrary<RefusalProblem> = fc
  .record({ ...shared, isQuota: fc.boolean(), never: fc.boolean() })
  .map(
    ({
      isQuota,
      never,
      detail,
      retry_after_seconds,
      waits_for,
      affordable,
      "violated-policies": violated,
    }) =>
      isQuota
        ? {
            type: "https://iana.org/assignments/http-problem-types#quota-exceeded",
            title: "Request cannot be satisfied as assigned quota has been exceeded",
            status: 429,
            detail,
            "violated-policies": violated,
            error: never ? "Cost exceeds quota" : "Too many requests",
            retry_after_seconds,
            waits_for,
            affordable,
          }
        : {
            type: "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity",
            title: "Request cannot be satisfied due to temporary server capacity constraints",
            status: 503,
            detail,
            "violated-policies": violated,
            error: "Temporarily unavailable",
            retry_after_seconds,
            waits_for,
            affordable,
          },
  );

it("writes the same text as JSON.stringify", () => {
  fc.assert(
    fc.property(problems, (problem) => {
      expect(problemJson(problem)).toBe(JSON.stringify(problem));
    }),
  );
});
