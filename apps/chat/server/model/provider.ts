import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import type { LanguageModelV4 } from "@ai-sdk/provider";
import { type BuiltInModelOptions, createBuiltInModel } from "./built-in/language-model.ts";
import { builtInPrice, listPriceOf, type ModelPrice, microsOf, priceOfUnknownModel } from "./price.ts";

export interface ModelChoice {
  model: LanguageModelV4;
  /** The name in `Me.model.name`. */
  name: string;
  builtIn: boolean;
  /** In dollars at first, in the service's currency once the model is offered. */
  price: ModelPrice;
  /** Warnings for the operator's log: what was assumed, and which variable changes it. */
  warnings: string[];
}

/** An invalid variable. The message names it, and never contains a key. */
export class ModelConfigError extends Error {
  override name = "ModelConfigError";
}

export type ModelEnvironment = Readonly<Record<string, string | undefined>>;

export const builtInName = "Headgate built-in";
const defaultOpenAiModel = "gpt-5.4-mini";
const defaultAnthropicModel = "claude-haiku-5-5";

type Read = (name: string) => string | undefined;

/**
 * Returns the models that answer; the first is the default. Your own server (`LLM_BASE_URL` and `LLM_MODEL`) comes
 * first, then `OPENAI_API_KEY`, then `ANTHROPIC_API_KEY`. Without any of them, the built-in responder answers, which
 * needs no network. `LLM_MODEL`,
 * `OPENAI_MODEL` and `ANTHROPIC_MODEL` name one model, or several separated by commas.
 * @param environment the variables, such as `process.env`; an empty or blank one counts as absent
 * @param builtIn the clock and the pace of the built-in responder
 * @throws {ModelConfigError} for an invalid value or combination
 */
export function chooseModels(
  environment: ModelEnvironment,
  builtIn: BuiltInModelOptions,
): [ModelChoice, ...ModelChoice[]] {
  const read: Read = (name) => environment[name]?.trim() || undefined;
  const chosen = ownServer(read) ?? openAi(read) ?? anthropic(read);
  if (!chosen) {
    const price = priceFrom(read, builtInPrice);
    const model = createBuiltInModel(builtIn);
    return [{ model, name: builtInName, builtIn: true, price, warnings: strays(read, []) }];
  }
  const [first, ...others] = chosen.names;
  const choiceOf = (name: string) => choice(read, chosen.model(name), name);
  const usual = choiceOf(first);
  return [
    { ...usual, warnings: [...strays(read, chosen.uses), ...usual.warnings] },
    ...others.map((name) => choiceOf(name)),
  ];
}

function choice(read: Read, model: LanguageModelV4, name: string): ModelChoice {
  const listed = listPriceOf(name);
  const price = priceFrom(read, listed ?? priceOfUnknownModel);
  const warnings: string[] = [];
  const isPriced =
    read("MODEL_PRICE_INPUT_PER_MTOK") !== undefined && read("MODEL_PRICE_OUTPUT_PER_MTOK") !== undefined;
  if (!listed && !isPriced) {
    const { inputPerMillion, outputPerMillion } = price;
    warnings.push(
      `The price of the model ${name} is unknown: it is charged at $${inputPerMillion / 1e6} and $${outputPerMillion / 1e6} a million tokens in and out. Set MODEL_PRICE_INPUT_PER_MTOK and MODEL_PRICE_OUTPUT_PER_MTOK to its price.`,
    );
  }
  return { model, name, builtIn: false, price, warnings };
}

interface Chosen {
  model(name: string): LanguageModelV4;
  names: [string, ...string[]];
  /** The variables that determined the choice. */
  uses: string[];
}

function ownServer(read: Read): Chosen | undefined {
  const baseUrl = read("LLM_BASE_URL");
  const name = read("LLM_MODEL");
  if (baseUrl === undefined) {
    if (name !== undefined)
      throw halfSet(
        "LLM_MODEL",
        "LLM_BASE_URL",
        "the address of an OpenAI-compatible server, such as http://localhost:11434/v1",
      );
    if (read("LLM_API_KEY") !== undefined)
      throw halfSet("LLM_API_KEY", "LLM_BASE_URL", "the address of the server that it is for");
    return undefined;
  }
  if (name === undefined) throw halfSet("LLM_BASE_URL", "LLM_MODEL", "the name of a model on that server");
  const apiKey = keyFrom(read, "LLM_API_KEY");
  const provider = createOpenAICompatible({
    name: "llm",
    baseURL: addressFrom(baseUrl, "LLM_BASE_URL"),
    includeUsage: true,
    ...(apiKey === undefined ? {} : { apiKey }),
  });
  return {
    model: provider.chatModel,
    names: namesFrom(name, "LLM_MODEL"),
    uses: ["LLM_BASE_URL", "LLM_MODEL", "LLM_API_KEY"],
  };
}

function openAi(read: Read): Chosen | undefined {
  const apiKey = keyFrom(read, "OPENAI_API_KEY");
  if (apiKey === undefined) return undefined;
  const baseUrl = read("OPENAI_BASE_URL");
  const baseURL =
    baseUrl === undefined ? "https://api.openai.com/v1" : addressFrom(baseUrl, "OPENAI_BASE_URL");
  const names = namesFrom(read("OPENAI_MODEL") ?? defaultOpenAiModel, "OPENAI_MODEL");
  // Use the chat-completions API instead of the default Responses API, because gateways behind OPENAI_BASE_URL support
  // it too.
  const model = createOpenAI({ apiKey, baseURL }).chat;
  return { model, names, uses: ["OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_MODEL"] };
}

function anthropic(read: Read): Chosen | undefined {
  const apiKey = keyFrom(read, "ANTHROPIC_API_KEY");
  if (apiKey === undefined) return undefined;
  const baseUrl = read("ANTHROPIC_BASE_URL");
  const names = namesFrom(read("ANTHROPIC_MODEL") ?? defaultAnthropicModel, "ANTHROPIC_MODEL");
  const model = createAnthropic({
    apiKey,
    baseURL:
      baseUrl === undefined ? "https://api.anthropic.com/v1" : addressFrom(baseUrl, "ANTHROPIC_BASE_URL"),
  });
  return { model, names, uses: ["ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL", "ANTHROPIC_MODEL"] };
}

const MOST_MODELS = 20;

/** @throws {ModelConfigError} for a list with a gap, a duplicate, or too many names */
function namesFrom(text: string, variable: string): [string, ...string[]] {
  const names = text.split(",").map((name) => name.trim());
  const [first, ...others] = names;
  if (!first || others.includes("")) {
    throw new ModelConfigError(
      `${variable} is "${text}": it should be the name of a model, or several names separated by commas.`,
    );
  }
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw new ModelConfigError(`${variable} names the model ${twice} twice.`);
  if (names.length > MOST_MODELS) {
    throw new ModelConfigError(`${variable} names ${names.length} models; the maximum is ${MOST_MODELS}.`);
  }
  return [first, ...others];
}

function halfSet(present: string, absent: string, meaning: string): ModelConfigError {
  return new ModelConfigError(
    `${present} is set but ${absent} is not. Set ${absent} to ${meaning}, or unset ${present}.`,
  );
}

/** @throws {ModelConfigError} without the key, because the message may be logged */
function keyFrom(read: Read, name: string): string | undefined {
  const key = read(name);
  if (key !== undefined && !/^[\x21-\x7e]+$/.test(key)) {
    throw new ModelConfigError(
      `${name} contains a space or another invalid character. Paste the key again, on one line.`,
    );
  }
  return key;
}

function addressFrom(text: string, name: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== "http:" && url?.protocol !== "https:") {
    throw new ModelConfigError(
      `${name} is not an http or https address: it should look like http://localhost:11434/v1.`,
    );
  }
  if (url.username !== "" || url.password !== "") {
    throw new ModelConfigError(
      `${name} contains a user name or password. Set the key in its own variable instead.`,
    );
  }
  return text.replace(/\/+$/, "");
}

function priceFrom(read: Read, otherwise: ModelPrice): ModelPrice {
  const price = (name: string, micros: number): number => {
    const text = read(name);
    if (text === undefined) return micros;
    const read_ = microsOf(text);
    if (read_ !== undefined) return read_;
    throw new ModelConfigError(
      `${name} is "${text}", which is not a price: set US dollars per million tokens, such as 0.15.`,
    );
  };
  const names = [
    "MODEL_PRICE_INPUT_PER_MTOK",
    "MODEL_PRICE_CACHED_INPUT_PER_MTOK",
    "MODEL_PRICE_OUTPUT_PER_MTOK",
  ] as const;
  if (names.every((name) => read(name) === undefined)) return otherwise;
  const [input, cached, output] = names;
  const inputPerMillion = price(input, otherwise.inputPerMillion);
  // If the price of uncached input is set, the list's price of cached input no longer applies.
  const usual = read(input) === undefined ? otherwise.cachedInputPerMillion : inputPerMillion;
  const cachedInputPerMillion = price(cached, usual);
  const outputPerMillion = price(output, otherwise.outputPerMillion);
  return {
    inputPerMillion,
    cachedInputPerMillion,
    outputPerMillion,
    version: `set ${inputPerMillion}/${cachedInputPerMillion}/${outputPerMillion}`,
  };
}

/** Returns warnings for variables without effect, because another provider was chosen. */
function strays(read: Read, used: readonly string[]): string[] {
  return ["OPENAI_API_KEY", "OPENAI_MODEL", "OPENAI_BASE_URL", "ANTHROPIC_API_KEY", "ANTHROPIC_MODEL"]
    .filter((name) => !used.includes(name) && read(name) !== undefined)
    .map((name) =>
      name.endsWith("_API_KEY")
        ? `${name} is set but not used: ${used[0]} comes first.`
        : `${name} is set but not used: it needs ${name.replace(/_(?:MODEL|BASE_URL)$/, "_API_KEY")}${used.length > 0 ? `, and the model was chosen by ${used[0]}` : ""}.`,
    );
}
