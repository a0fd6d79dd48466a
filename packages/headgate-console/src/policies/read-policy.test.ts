import fc from "fast-check";
import { readPolicyDocument } from "headgate/policy-document";
import { describe, expect, it } from "vitest";
import { JsonTextError, readJsonText } from "./json-text.ts";
import { LONGEST_POLICY, readPolicyText, sentenceOf } from "./read-policy.ts";

/** Reads a policy from lines, so that the tests show where each mistake is. */
const read = (...lines: string[]) => readPolicyText(lines.join("\n"));

describe("a policy", () => {
  it("is read", () => {
    expect(read('{ "layers": [{ "name": "user", "limits": "5/minute" }] }')).toEqual({
      document: { layers: [{ name: "user", limits: "5/minute" }] },
    });
  });

  it.each<[string[], number, string, RegExp]>([
    [["{", '  "layers": [', "}"], 3, "", /Expected a value.* found "}"/],
    [
      ['{ "layers": [{ "name": "user" "limits": "5/minute" }] }'],
      1,
      "",
      /Expected "," or "}", found "\\"limits/,
    ],
    [['{ "layers": [{ "name": "user, "limits"'], 1, "", /Expected "," or "}"/],
    [["", "{ layers: [] }"], 2, "", /a name in double quotes, found "layers:"/],
    [['{ "layers": [],', '  "layers": [] }'], 2, "", /"layers" is written twice/],
    [['{ "layers": [] } x'], 1, "", /Expected the end, found "x"/],
    [[""], 1, "", /found the end/],
    [["[]"], 1, "", /A policy must be an object/],
    [["{", '"layers": []', "}"], 2, "layers", /got an empty list/],
    [["{", '"layer": []', "}"], 2, "layer", /did you mean "layers"/],
    [
      ['{ "layers": [', '{ "name": "user", "limits": "5/minute" },', '"x" ] }'],
      3,
      "layers[1]",
      /must be an object/,
    ],
    [['{ "layers": [{', '"name": "User",', '"limits": "5/minute" }] }'], 2, "layers[0].name", /"User"/],
    [
      ['{ "layers": [{', '"name": "user",', '"limit": "5/minute" }] }'],
      3,
      "layers[0].limit",
      /no option "limit"/,
    ],
    [
      ['{ "layers": [{', '"name": "user",', '"limits": "5/fortnight" }] }'],
      3,
      "layers[0].limits",
      /"fortnight" \(character 3\): expected a window/,
    ],
    [
      [
        '{ "layers": [{ "name": "user", "plans": {',
        '"free": "5/minute",',
        '"pro": "lots" },',
        '"defaultPlan": "free" }] }',
      ],
      3,
      "layers[0].plans.pro",
      /lots/,
    ],
    [
      ['{ "layers": [{ "name": "user", "plans": {', '"free": "5/minute" },', '"defaultPlan": "pro" }] }'],
      3,
      "layers[0].defaultPlan",
      /one of "free", got "pro"/,
    ],
    [
      ['{ "layers": [{ "name": "user", "limits": "5/minute",', '"outage": "open" }] }'],
      2,
      "layers[0].outage",
      /got "open"/,
    ],
    [['{ "layers": [{', '"name": "user" }] }'], 1, "layers[0]", /needs one of limits/],
    [
      [
        '{ "layers": [{ "name": "user", "limits": "5/minute" },',
        '{ "name": "user", "limits": "6/minute" }] }',
      ],
      2,
      "layers[1].name",
      /Two layers/,
    ],
    [
      ['{ "layers": [{ "name": "user", "limits": "5/minute" }],', '"units": ["Tokens"] }'],
      2,
      "units",
      /"Tokens"/,
    ],
    [[" ".repeat(LONGEST_POLICY + 1)], 1, "", /at most 65536 characters/],
    [["[".repeat(10_000)], 1, "", /at most 20 levels/],
  ])("is rejected with the position of the mistake, %#", (lines, line, field, message) => {
    const found = read(...lines);
    if (!("mistake" in found)) throw new Error("It is wrong.");
    expect([found.mistake.line, found.mistake.field]).toEqual([line, field]);
    expect(found.mistake.message).toMatch(message);
    expect(sentenceOf(found.mistake)).toMatch(new RegExp(`^Line ${line}[,:]`));
  });

  it("is rejected whenever the library's reader rejects it", () => {
    const text = fc.constantFrom("5/minute", "blocked", "lots", "", "0/day");
    const layer = fc.record(
      { name: fc.constantFrom("user", "ip", "Ü"), limits: text, defaultPlan: text, outage: text, key: text },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(
        fc.record({ layers: fc.array(layer), units: fc.array(text) }, { requiredKeys: [] }),
        (value) => {
          const isUsable = (() => {
            try {
              return readPolicyDocument(value) !== undefined;
            } catch {
              return false;
            }
          })();
          expect("document" in readPolicyText(JSON.stringify(value, null, 1))).toBe(isUsable);
        },
      ),
    );
  });
});

describe("JSON", () => {
  it("accepts exactly what JSON.parse accepts", () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 5 }), fc.nat(), fc.string({ maxLength: 2 }), (json, at, put) => {
        const place = at % (json.length + 1);
        const text = json.slice(0, place) + put + json.slice(place);
        const parsed = (() => {
          try {
            return { value: JSON.parse(text) as unknown };
          } catch {
            return undefined;
          }
        })();
        try {
          expect({ value: readJsonText(text).value }).toEqual(parsed);
        } catch (error) {
          if (!(error instanceof JsonTextError)) throw error;
          const isKnownToBeStricter = /twice|levels/.test(error.message) || /\p{Cc}/u.test(text);
          if (!isKnownToBeStricter) expect(parsed, error.message).toBeUndefined();
        }
      }),
      { numRuns: 2_000 },
    );
  });

  // Each of these texts once blocked the thread for seconds or minutes.
  it("is read fast even if most of it is one long name", () => {
    const name = "a".repeat(30_000);
    const text = `{ "${name}": [${"1,".repeat(15_000)}1] }`;
    expect(read(text)).toMatchObject({ mistake: { field: name, line: 1, column: 3 } });
  });

  it("is read fast even if the last of many layers has the name of another layer", () => {
    const names = Array.from({ length: 1_200 }, (_, l) => `l${l % 1_199}`);
    const lines = names.map((name) => `{"name":"${name}","key":"user","limits":"5/minute"}`);
    expect(read(`{"layers":[${lines.join(",\n")}]}`)).toMatchObject({
      mistake: { field: "layers[1199].name", line: 1_200 },
    });
  }, 2_000);
});
