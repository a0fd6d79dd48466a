import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { builtInPrice, costOf, exchanged, isPriced, listPriceOf, microsOf, multiplied } from "./price.ts";

describe("a price in dollars", () => {
  it.each([
    ["0.15", 150_000],
    ["1", 1_000_000],
    ["0", 0],
    ["2.50", 2_500_000],
    ["0.000001", 1],
    [" 3.3 ", 3_300_000],
    ["999999.999999", 999_999_999_999],
  ])("%s is %d micros", (text, micros) => {
    expect(microsOf(text)).toBe(micros);
  });

  it.each(["", "free", "-1", "1e3", "0.0000001", "1,50", "$1", "1.", ".5", "NaN", "1000000"])(
    "%j is none",
    (text) => {
      expect(microsOf(text)).toBeUndefined();
    },
  );

  it("is read without loss", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 999_999_999_999 }), (micros) => {
        const digits = String(micros).padStart(7, "0");
        expect(microsOf(`${digits.slice(0, -6)}.${digits.slice(-6)}`)).toBe(micros);
      }),
    );
  });
});

describe("the cost of an answer", () => {
  const price = { inputPerMillion: 150_000, cachedInputPerMillion: 75_000, outputPerMillion: 600_000 };

  it.each([
    [{ inputTokens: 0, outputTokens: 0 }, 0],
    [{ inputTokens: 1, outputTokens: 0 }, 1],
    [{ inputTokens: 1_000_000, outputTokens: 0 }, 150_000],
    [{ inputTokens: 1_000_000, outputTokens: 1 }, 150_001],
    [{ inputTokens: 10, outputTokens: 10 }, 8],
    [{ inputTokens: 1_000_000, cachedInputTokens: 600_000, outputTokens: 0 }, 105_000],
    [{ inputTokens: 10, cachedInputTokens: 1_000_000, outputTokens: 0 }, 1],
    [{ inputTokens: undefined, outputTokens: 10 }, 6],
    [{ inputTokens: Number.NaN, outputTokens: -5 }, 0],
  ])("%j is %d micros", (used, micros) => {
    expect(costOf(used, price)).toBe(micros);
  });

  it("is an integer, never below the exact cost, and at most a micro above it", () => {
    const count = fc.integer({ min: 0, max: 2_000_000 });
    const rate = fc.integer({ min: 0, max: 100_000_000 });
    fc.assert(
      fc.property(
        fc.tuple(count, count, count),
        fc.tuple(rate, rate, rate),
        ([freshTokens, cachedInputTokens, outputTokens], [input, cached, output]) => {
          const micros = costOf(
            { inputTokens: freshTokens + cachedInputTokens, cachedInputTokens, outputTokens },
            { inputPerMillion: input, cachedInputPerMillion: cached, outputPerMillion: output },
          );
          const exact =
            BigInt(freshTokens) * BigInt(input) +
            BigInt(cachedInputTokens) * BigInt(cached) +
            BigInt(outputTokens) * BigInt(output);
          expect(Number.isSafeInteger(micros)).toBe(true);
          expect(BigInt(micros) * 1_000_000n - exact).toBeGreaterThanOrEqual(0n);
          expect(BigInt(micros) * 1_000_000n - exact).toBeLessThan(1_000_000n);
        },
      ),
    );
  });
});

describe("a price in the service's currency", () => {
  const price = listPriceOf("gpt-4.1-nano");
  if (!price) throw new Error("The list has no gpt-4.1-nano.");

  it("is converted at a rate and multiplied by a factor, both named in its version", () => {
    const pounds = exchanged(price, { currency: "GBP", rate: 790_000 });
    expect(pounds).toEqual({
      inputPerMillion: 79_000,
      cachedInputPerMillion: 19_750,
      outputPerMillion: 316_000,
      version: `${price.version} 0.79 GBP/USD`,
    });
    expect(multiplied(pounds, 1_200_000)).toEqual({
      inputPerMillion: 94_800,
      cachedInputPerMillion: 23_700,
      outputPerMillion: 379_200,
      version: `${price.version} 0.79 GBP/USD x1.2`,
    });
    const kept = exchanged(price, { currency: "GBP", rate: 790_000, version: "HMRC 2026-06" });
    expect(kept.version).toBe(`${price.version} 0.79 GBP/USD (HMRC 2026-06)`);
  });

  it("is unchanged if there is nothing to convert", () => {
    expect(exchanged(price, { currency: "USD", rate: 1_000_000 })).toBe(price);
    expect(exchanged(builtInPrice, { currency: "GBP", rate: 790_000 })).toBe(builtInPrice);
    expect(multiplied(price, 1_000_000)).toBe(price);
  });

  it("is free if its factor is 0, and never by rounding", () => {
    expect(isPriced(multiplied(price, 0))).toBe(false);
    expect(exchanged({ ...price, outputPerMillion: 1 }, { currency: "GBP", rate: 1 }).outputPerMillion).toBe(
      1,
    );
  });
});

describe("list prices", () => {
  it("recognises a dated model by its name, and no other model", () => {
    expect(listPriceOf("gpt-4.1-mini-2025-04-14")).toEqual(listPriceOf("gpt-4.1-mini"));
    expect(listPriceOf("claude-haiku-4-5-20251001")).toEqual(listPriceOf("claude-haiku-4-5"));
    expect(listPriceOf("gpt-4.1-mini")).not.toEqual(listPriceOf("gpt-4.1"));
    expect(listPriceOf("claude-opus-5-5")).not.toEqual(listPriceOf("claude-opus-5"));
    expect(listPriceOf("gpt-4.1-ultra")).toBeUndefined();
    expect(listPriceOf("llama3.2")).toBeUndefined();
  });
});
