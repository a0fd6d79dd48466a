import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import {
  LIST_CURRENCY,
  LIST_VERSION,
  listPrices,
  listRates,
} from "../../apps/chat/server/model/price-list.ts";
import { LIST, priceList, TABLE } from "./list.mjs";

const table = () => JSON.parse(readFileSync(TABLE, "utf8"));
const withoutSpaces = (text: string) => text.replace(/[\s;,]/g, "");

test("the module that the service reads matches the table", () => {
  expect(withoutSpaces(readFileSync(LIST, "utf8"))).toBe(withoutSpaces(priceList(table())));
});

test("every price is a whole number of micros, and cached input costs no more than other input", () => {
  const kept = table();
  expect([LIST_VERSION, LIST_CURRENCY]).toEqual([kept.version, kept.currency]);
  for (const [model, { input, cachedInput, output }] of Object.entries<Record<string, string>>(
    kept.perMillionTokens,
  )) {
    const made = listPrices[model];
    expect(made, model).toEqual({
      inputPerMillion: Math.round(Number(input) * 1e6),
      cachedInputPerMillion: Math.round(Number(cachedInput) * 1e6),
      outputPerMillion: Math.round(Number(output) * 1e6),
    });
    expect(made?.cachedInputPerMillion).toBeLessThanOrEqual(made?.inputPerMillion ?? 0);
  }
});

const one = (price: object, more: object = {}) => ({
  version: "list 2026-01",
  currency: "USD",
  sources: { gpt: "https://example.com" },
  rates: { GBP: { perUnit: "1.25", version: "HMRC 2026-06", source: "https://example.com" } },
  perMillionTokens: { "gpt-x": { input: "1", cachedInput: "0.1", output: "2", ...price } },
  ...more,
});

test("an invalid table throws an error that names the wrong value", () => {
  expect(priceList(one({ output: "0.000001" }))).toContain("outputPerMillion: 1 ");
  expect(() => priceList(one({ output: "0.0000001" }))).toThrow(/gpt-x\.output is "0\.0000001": should be/);
  expect(() => priceList(one({ input: "1e3" }))).toThrow(/gpt-x\.input is "1e3"/);
  expect(() => priceList(one({ cachedInput: undefined }))).toThrow(/gpt-x\.cachedInput is undefined/);
  expect(() => priceList(one({}, { version: " " }))).toThrow(/version: should name/);
  expect(() => priceList(one({}, { currency: "$" }))).toThrow(/currency is "\$"/);
  expect(() => priceList(one({}, { sources: {} }))).toThrow(/gpt-x: sources should say/);
});

test("a rate has a version and a source, and is inverted to the nearest micro", () => {
  const rate = { perUnit: "1.25", version: "HMRC 2026-06", source: "https://example.com" };
  const withRate = (more: object, code = "GBP") =>
    priceList(one({}, { rates: { [code]: { ...rate, ...more } } }));
  expect(withRate({})).toContain('GBP: { rate: 800_000, version: "HMRC 2026-06" }');
  expect(withRate({ perUnit: "3" })).toContain("rate: 333_333,");
  for (const perUnit of ["0", "-1", "1,25", undefined])
    expect(() => withRate({ perUnit })).toThrow(/^rates\.GBP\.perUnit is /);
  expect(() => withRate({ version: "HMRC" })).toThrow(/^rates\.GBP\.version: should say whose rate/);
  expect(() => withRate({ source: "a bank" })).toThrow(/^rates\.GBP\.source: should say where/);
  expect(() => withRate({}, "pounds")).toThrow(/^rates\.pounds: /);
});

test("the exchange rate of pounds is the published rate", () => {
  const { perUnit, version } = table().rates.GBP;
  expect(listRates.GBP).toEqual({ rate: Math.round(1e6 / Number(perUnit)), version });
});
