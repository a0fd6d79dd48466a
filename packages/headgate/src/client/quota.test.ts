import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readQuota } from "./quota.ts";

const at = 1_700_000_000_000;

function read(rateLimit: string | undefined, policy?: string) {
  const headers = new Headers();
  if (rateLimit !== undefined) headers.set("RateLimit", rateLimit);
  if (policy !== undefined) headers.set("RateLimit-Policy", policy);
  return readQuota(headers, at);
}

describe("readQuota", () => {
  it("reads every limit of the list form, with its policy", () => {
    const quota = read(
      '"user-per-minute";r=4;t=12, "ip-per-minute";r=29;t=60',
      '"user-per-minute";q=5;w=60, "user-per-hour";q=60;w=3600, "ip-per-minute";q=30;w=60',
    );
    expect(quota).toEqual({
      at,
      limits: [
        { name: "user-per-minute", quota: 5, windowSeconds: 60, remaining: 4, resetSeconds: 12 },
        { name: "ip-per-minute", quota: 30, windowSeconds: 60, remaining: 29, resetSeconds: 60 },
      ],
      tightest: { name: "user-per-minute", quota: 5, windowSeconds: 60, remaining: 4, resetSeconds: 12 },
    });
  });

  it("reads the dictionary of draft 7", () => {
    expect(read("limit=5, remaining=4, reset=12", "5;w=60")?.limits).toEqual([
      { name: "default", quota: 5, windowSeconds: 60, remaining: 4, resetSeconds: 12 },
    ]);
    expect(read("limit=5, remaining=0, reset=12")?.limits).toEqual([
      { name: "default", quota: 5, remaining: 0, resetSeconds: 12 },
    ]);
  });

  it.each([
    ["no policy field", '"a";r=1;t=2', undefined, { name: "a", remaining: 1, resetSeconds: 2 }],
    ["spaces", '  "a" ; r=1 ; t=2  ', undefined, { name: "a", remaining: 1, resetSeconds: 2 }],
    ["a token for a name", "a;r=1;t=2", undefined, { name: "a", remaining: 1, resetSeconds: 2 }],
    [
      "separators in a name",
      '"a, \\"b\\"; r=9";r=1;t=2',
      undefined,
      { name: 'a, "b"; r=9', remaining: 1, resetSeconds: 2 },
    ],
    [
      "a partition key",
      '"a";pk=:cGs9LHI9OQ==:;r=1;t=2',
      undefined,
      { name: "a", remaining: 1, resetSeconds: 2 },
    ],
    ["a parameter without a value", '"a";x;r=1;t=2', undefined, { name: "a", remaining: 1, resetSeconds: 2 }],
    [
      "numbers that are not whole",
      '"a";q=1.5;r=1;t=-2',
      '"a";q=5.5;w=60',
      { name: "a", windowSeconds: 60, remaining: 1, resetSeconds: 60 },
    ],
    ["a quoted parameter", '"a";x=";r=9";r=1;t=2', undefined, { name: "a", remaining: 1, resetSeconds: 2 }],
    [
      "no reset",
      '"a";r=1',
      '"a";q=5;w=60',
      { name: "a", quota: 5, windowSeconds: 60, remaining: 1, resetSeconds: 60 },
    ],
    ["another policy", '"a";r=1;t=2', '"b";q=5;w=60', { name: "a", remaining: 1, resetSeconds: 2 }],
  ])("reads %s", (_case, rateLimit, policy, expected) => {
    expect(read(rateLimit, policy)?.limits).toEqual([expected]);
  });

  it.each([undefined, "", "banana", '"a"', '"a";r=-1', '"a";r=x;t=1', "limit=5", "remaining=x"])(
    "returns undefined for %j",
    (rateLimit) => expect(read(rateLimit)).toBeUndefined(),
  );

  it("leaves out concurrent limits, and compares limits of different units by their remaining share", () => {
    const quota = readQuota(
      new Headers({
        "RateLimit-Policy":
          '"user-per-minute";q=5;w=60, "user-concurrent";q=2;w=30;qu="concurrent", "user-tokens-per-day";q=1000;w=86400;qu="tokens"',
        RateLimit:
          '"user-per-minute";r=2;t=60, "user-concurrent";r=0;t=30, "user-tokens-per-day";r=100;t=86400',
      }),
      0,
    );
    expect(quota?.limits.map(({ unit }) => unit)).toEqual([undefined, "concurrent", "tokens"]);
    expect(quota?.tightest?.name).toBe("user-tokens-per-day");
  });

  it("picks the limit with the fewest units left as the tightest; of equals, the one with the longest reset", () => {
    expect(read('"minute";r=4;t=1, "hour";r=6;t=9')?.tightest?.name).toBe("minute");
    expect(read('"minute";r=4;t=1, "hour";r=3;t=9')?.tightest?.name).toBe("hour");
    expect(read('"minute";r=0;t=1, "hour";r=0;t=9')?.tightest?.name).toBe("hour");
  });

  it("never throws, and never invents a number", () => {
    const piece = fc.constantFrom(
      '"',
      "\\",
      ",",
      ";",
      "=",
      " ",
      "r",
      "t",
      "5",
      "a",
      "limit=",
      "remaining=3",
      ";r=1",
      ":",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        const text = pieces.join("");
        for (const limit of read(text, text)?.limits ?? []) {
          expect(text).toContain(`${limit.remaining}`);
          expect(Number.isFinite(limit.resetSeconds)).toBe(true);
        }
      }),
    );
  });
});
