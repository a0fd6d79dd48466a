import { readFileSync } from "node:fs";
import { samples } from "@headgate/test-servers/texts.ts";
import fc from "fast-check";
import { Tiktoken } from "js-tiktoken/lite";
import cl100k from "js-tiktoken/ranks/cl100k_base";
import o200k from "js-tiktoken/ranks/o200k_base";
import { describe, expect, it } from "vitest";
import { createEstimator, estimateTokens } from "./estimator.ts";
import { sizeOf } from "./text-tokens.ts";

const vocabularies = { o200k: new Tiktoken(o200k), cl100k: new Tiktoken(cl100k) };

const percent = (text: string, vocabulary: Tiktoken) =>
  Math.round((estimateTokens(text) / vocabulary.encode(text).length - 1) * 100);

const signed = (error: number) => (error < 0 ? `−${-error} %` : `+${error} %`);

describe("an estimate", () => {
  const page = readFileSync(new URL("../../../../../docs/estimating-tokens.md", import.meta.url), "utf8");

  it.each(Object.entries(samples))("is rarely below the count of a real tokenizer: %s", (kind, text) => {
    const errors = Object.values(vocabularies).map((vocabulary) => percent(text, vocabulary));
    expect(Math.min(...errors)).toBeGreaterThanOrEqual(-5);
    // The docs show these figures.
    expect(page).toContain(`| ${kind} | ${errors.map(signed).join(" | ")} |`);
  });

  it("never exceeds the text's length in UTF-8 bytes", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 200 }), (text) => {
        expect(estimateTokens(text)).toBeLessThanOrEqual(new TextEncoder().encode(text).length);
      }),
    );
  });

  it("reads each character once", () => {
    let looks = 0;
    const counting = {
      length: 100_000,
      charCodeAt: () => {
        looks += 1;
        return 97;
      },
    };
    sizeOf(counting as unknown as string);
    expect(looks).toBe(100_000);
  });

  it("grows with the text", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), fc.string({ maxLength: 60 }), (one, other) => {
        const whole = sizeOf(`${one}\n${other}`);
        expect(whole.tokens).toBeGreaterThanOrEqual(
          Math.max(sizeOf(one).tokens, sizeOf(other).tokens) - 1e-9,
        );
      }),
    );
  });
});

describe("messages", () => {
  const text = "How long is the tide in at Portsmouth tomorrow?";
  const alone = estimateTokens(text);

  it.each<[string, unknown]>([
    ["of the AI SDK's page (UI messages)", [{ id: "m1", role: "user", parts: [{ type: "text", text }] }]],
    ["of the AI SDK's models (model messages)", [{ role: "user", content: [{ type: "text", text }] }]],
    ["of OpenAI", [{ role: "user", content: text }]],
    ["of Anthropic", [{ role: "user", content: [{ type: "text", text, cache_control: null }] }]],
  ])("are counted by their text: %s", (_, messages) => {
    expect(estimateTokens(messages)).toBeGreaterThanOrEqual(alone + 4);
    expect(estimateTokens(messages)).toBeLessThanOrEqual(alone + 8);
  });

  it("count the inputs and outputs of tools", () => {
    const call = { type: "tool-tide", toolCallId: "c1", state: "output-available", input: { place: text } };
    expect(estimateTokens([{ role: "assistant", parts: [call] }])).toBeGreaterThan(alone + 4);
  });

  it("count an attachment as 1,600, however long it is", () => {
    const data = "A".repeat(1_000_000);
    for (const part of [
      { type: "file", mediaType: "image/png", url: `data:image/png;base64,${data}` },
      { type: "image_url", image_url: { url: data } },
      { type: "image", source: { type: "base64", data } },
    ]) {
      expect(estimateTokens([{ role: "user", content: [part] }])).toBeLessThan(1610);
    }
    const plain = { type: "file", mediaType: "text/plain", data };
    expect(estimateTokens([{ role: "user", content: [plain] }])).toBeGreaterThan(100_000);
  });

  it("can be deep, wide or circular", () => {
    let deep: unknown = text;
    for (let n = 0; n < 100_000; n += 1) deep = [deep];
    expect(estimateTokens(deep)).toBeGreaterThan(alone);
    const circle: { self?: unknown; text: string } = { text };
    circle.self = circle;
    expect(estimateTokens(circle)).toBeGreaterThan(alone);
  });

  it.each([undefined, null, "", 0, [], Symbol("x"), () => {}])("can be any value: %s", (anything) => {
    expect(estimateTokens(anything)).toBeLessThanOrEqual(1);
  });
});

describe("the correction for a model", () => {
  const text = "the tide comes in at nine and goes out at three ".repeat(20);

  it("raises estimates after one call, and lowers them only after sixteen", () => {
    const estimator = createEstimator();
    const first = estimator.estimate(text, "m");
    for (let n = 0; n < 15; n += 1) estimator.learn("m", first, first / 2);
    expect(estimator.estimate(text, "m")).toBe(first);
    estimator.learn("m", first, first / 2);
    expect(estimator.estimate(text, "m")).toBe(Math.ceil(first / 2));
    expect(estimator.estimate(text)).toBe(first);
    expect(estimator.estimate(text, "other")).toBe(first);
    const dear = createEstimator();
    dear.learn("m", first, first * 1.5);
    expect(dear.estimate(text, "m")).toBeGreaterThanOrEqual(first * 1.49);
  });

  it("leaves at most one call in twenty underestimated", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0.5, max: 3, noNaN: true }), { minLength: 64, maxLength: 64 }),
        (ratios) => {
          const estimator = createEstimator();
          for (const ratio of ratios) estimator.learn("m", 1000, 1000 * ratio);
          const factor = estimator.factorOf("m");
          expect(ratios.filter((ratio) => ratio > factor + 1e-9).length).toBeLessThanOrEqual(3);
        },
      ),
    );
  });

  it("is kept for the last 1,000 used models, within bounds", () => {
    const estimator = createEstimator();
    for (let n = 0; n < 1001; n += 1) {
      estimator.learn(`m${n}`, 100, 200);
      estimator.learn("m0", 100, 200);
    }
    expect(["m0", "m1", "m2", "m1000"].map(estimator.factorOf)).toEqual([2, 1, 2, 2]);
    estimator.learn("wild", 1, 1e9);
    expect(estimator.factorOf("wild")).toBe(1);
    estimator.learn("wild", 100, 800);
    expect(estimator.factorOf("wild")).toBe(8);
    for (const nonsense of [0, -1, Number.NaN]) estimator.learn("none", 100, nonsense);
    expect(estimator.factorOf("none")).toBe(1);
  });
});
