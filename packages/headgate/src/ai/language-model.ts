import type { wrapLanguageModel } from "ai";
import { HeadgateError } from "../core/errors.ts";

/** A language model of AI SDK 7. */
export type LanguageModelV4 = ReturnType<typeof wrapLanguageModel>;
export type CallOptions = Parameters<LanguageModelV4["doStream"]>[0];
export type GenerateResult = Awaited<ReturnType<LanguageModelV4["doGenerate"]>>;
export type StreamResult = Awaited<ReturnType<LanguageModelV4["doStream"]>>;
export type StreamParts = StreamResult["stream"];
export type StreamPart = StreamParts extends ReadableStream<infer Part> ? Part : never;

/** @throws HeadgateError `option-invalid` */
export function checkModel(of: string, model: unknown): void {
  const isModel =
    typeof model === "object" &&
    model !== null &&
    "specificationVersion" in model &&
    model.specificationVersion === "v4" &&
    "doStream" in model;
  if (isModel) return;
  throw new HeadgateError(
    "option-invalid",
    `${of} takes a language model of AI SDK 7, such as openai("gpt-5"), got ${describe(model)}. ` +
      "Convert a language model of an earlier version with wrapLanguageModel({ model, middleware: [] }).",
  );
}

function describe(model: unknown): string {
  if (typeof model === "string") return `the text "${model}"`;
  if (typeof model !== "object" || model === null) return String(model);
  const version = (model as { specificationVersion?: unknown }).specificationVersion;
  if (version === undefined) return "an object";
  return version === "v4"
    ? "a model of another kind, such as for embeddings or images"
    : `a model of version ${String(version)}`;
}

/** Returns the model with two methods replaced. */
export function replaceMethods(
  model: LanguageModelV4,
  methods: Pick<LanguageModelV4, "doGenerate" | "doStream">,
): LanguageModelV4 {
  return {
    specificationVersion: "v4",
    provider: model.provider,
    modelId: model.modelId,
    supportedUrls: model.supportedUrls,
    ...methods,
  };
}
