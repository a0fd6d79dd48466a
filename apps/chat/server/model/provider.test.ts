import { describe, expect, it } from "vitest";
import { builtInPrice, priceOfUnknownModel } from "./price.ts";
import { builtInName, chooseModels, type ModelEnvironment } from "./provider.ts";

const choose = (environment: ModelEnvironment) => chooseModels(environment, { clock: { now: () => 0 } })[0];

describe("choosing a model", () => {
  it.each([
    {},
    { OPENAI_API_KEY: "" },
    { OPENAI_API_KEY: "  ", LLM_BASE_URL: "", ANTHROPIC_API_KEY: undefined },
  ])("uses the built-in responder with %j", (environment) => {
    expect(choose(environment)).toMatchObject({
      name: builtInName,
      builtIn: true,
      price: builtInPrice,
      warnings: [],
      model: { provider: "headgate" },
    });
  });

  it.each([
    [{ OPENAI_API_KEY: "sk-1" }, "openai.chat", "gpt-5.4-mini"],
    [{ OPENAI_API_KEY: "sk-1", OPENAI_MODEL: "gpt-4.1" }, "openai.chat", "gpt-4.1"],
    [{ ANTHROPIC_API_KEY: "sk-2" }, "anthropic.messages", "claude-haiku-5-5"],
    [
      { ANTHROPIC_API_KEY: "sk-2", ANTHROPIC_MODEL: "claude-opus-5-5" },
      "anthropic.messages",
      "claude-opus-5-5",
    ],
    [{ LLM_BASE_URL: "http://localhost:11434/v1/", LLM_MODEL: "llama3.2" }, "llm.chat", "llama3.2"],
    // Several at once: your own server first, then OpenAI, then Anthropic.
    [{ OPENAI_API_KEY: "sk-1", ANTHROPIC_API_KEY: "sk-2" }, "openai.chat", "gpt-5.4-mini"],
    [{ OPENAI_API_KEY: "sk-1", LLM_BASE_URL: "https://llm.example/v1", LLM_MODEL: "own" }, "llm.chat", "own"],
  ])("%j", (environment, provider, name) => {
    const choice = choose(environment);
    expect(choice).toMatchObject({ name, builtIn: false, model: { provider, modelId: name } });
  });

  it("offers several models, each at its own price", () => {
    const several = chooseModels(
      { OPENAI_API_KEY: "sk-1", OPENAI_MODEL: "gpt-5.4-mini, gpt-4.1,mystery" },
      { clock: { now: () => 0 } },
    );
    expect(several.map(({ name, price }) => [name, price.inputPerMillion])).toEqual([
      ["gpt-5.4-mini", 750_000],
      ["gpt-4.1", 2_000_000],
      ["mystery", priceOfUnknownModel.inputPerMillion],
    ]);
    expect(several.map(({ model }) => model.modelId)).toEqual(["gpt-5.4-mini", "gpt-4.1", "mystery"]);
    expect(several.map(({ warnings }) => warnings.length)).toEqual([0, 0, 1]);
  });

  it.each([
    ["a,", /^OPENAI_MODEL is "a,": it should be the name of a model, or several names/],
    [",", /^OPENAI_MODEL is ","/],
    ["a, b, a", /^OPENAI_MODEL names the model a twice/],
    [
      Array.from({ length: 21 }, (_, n) => `m${n}`).join(),
      /^OPENAI_MODEL names 21 models; the maximum is 20/,
    ],
  ])("rejects a list such as %s", (OPENAI_MODEL, says) => {
    expect(() => choose({ OPENAI_API_KEY: "sk-1", OPENAI_MODEL })).toThrow(says);
  });

  it("names unused keys", () => {
    expect(choose({ OPENAI_API_KEY: "sk-1", ANTHROPIC_API_KEY: "sk-2" }).warnings).toEqual([
      "ANTHROPIC_API_KEY is set but not used: OPENAI_API_KEY comes first.",
    ]);
    expect(choose({ OPENAI_MODEL: "gpt-4.1" }).warnings).toEqual([
      "OPENAI_MODEL is set but not used: it needs OPENAI_API_KEY.",
    ]);
  });

  it.each([
    [{ LLM_BASE_URL: "http://localhost:11434/v1" }, /^LLM_BASE_URL is set but LLM_MODEL is not\./],
    [{ LLM_MODEL: "llama3.2" }, /^LLM_MODEL is set but LLM_BASE_URL is not\./],
    [{ LLM_API_KEY: "key" }, /^LLM_API_KEY is set but LLM_BASE_URL is not\./],
    [{ LLM_BASE_URL: "localhost:11434", LLM_MODEL: "m" }, /^LLM_BASE_URL is not an http or https address/],
    [{ LLM_BASE_URL: "https://me:secret@llm.example", LLM_MODEL: "m" }, /^LLM_BASE_URL contains a user name/],
    [{ OPENAI_API_KEY: "sk-1", OPENAI_BASE_URL: "ftp://example" }, /^OPENAI_BASE_URL is not an http/],
    [{ OPENAI_API_KEY: "sk-1\nsk-secret" }, /^OPENAI_API_KEY contains a space/],
    [{ MODEL_PRICE_INPUT_PER_MTOK: "cheap" }, /^MODEL_PRICE_INPUT_PER_MTOK is "cheap", which is not a price/],
    [{ MODEL_PRICE_OUTPUT_PER_MTOK: "-1" }, /^MODEL_PRICE_OUTPUT_PER_MTOK is "-1"/],
  ])("rejects %j with a message", (environment, message) => {
    expect(() => choose(environment)).toThrow(message);
  });

  it("keeps keys and passwords out of messages", () => {
    for (const environment of [
      { LLM_BASE_URL: "https://me:secret@llm.example", LLM_MODEL: "m" },
      { OPENAI_API_KEY: "sk-1\nsk-secret" },
    ]) {
      expect(() => choose(environment)).toThrow(
        expect.objectContaining({ message: expect.not.stringContaining("secret") }),
      );
    }
  });
});

describe("the price", () => {
  it("is the list price of a known model", () => {
    expect(choose({ OPENAI_API_KEY: "k", OPENAI_MODEL: "gpt-4.1-mini" })).toMatchObject({
      price: { inputPerMillion: 400_000, outputPerMillion: 1_600_000 },
      warnings: [],
    });
  });

  it("of an unknown model is a default, with a warning", () => {
    const { price, warnings } = choose({ LLM_BASE_URL: "http://localhost:1/v1", LLM_MODEL: "llama3.2" });
    expect(price).toEqual(priceOfUnknownModel);
    expect(warnings).toEqual([expect.stringMatching(/llama3\.2 is unknown: it is charged at \$5 and \$25/)]);
  });

  it("is set by the operator, completely or in part", () => {
    const own = { LLM_BASE_URL: "http://localhost:1/v1", LLM_MODEL: "llama3.2" };
    const whole = choose({ ...own, MODEL_PRICE_INPUT_PER_MTOK: "0", MODEL_PRICE_OUTPUT_PER_MTOK: "0.07" });
    expect(whole).toMatchObject({ price: { inputPerMillion: 0, outputPerMillion: 70_000 }, warnings: [] });
    expect(choose({ MODEL_PRICE_OUTPUT_PER_MTOK: "10" }).price).toEqual({
      ...builtInPrice,
      outputPerMillion: 10_000_000,
      version: "set 0/0/10000000",
    });
    const cached = choose({
      ...own,
      MODEL_PRICE_INPUT_PER_MTOK: "2",
      MODEL_PRICE_CACHED_INPUT_PER_MTOK: "0.5",
    });
    expect(cached.price).toMatchObject({ inputPerMillion: 2_000_000, cachedInputPerMillion: 500_000 });
    expect(choose({ ...own, MODEL_PRICE_INPUT_PER_MTOK: "2" }).price.cachedInputPerMillion).toBe(2_000_000);
  });
});
