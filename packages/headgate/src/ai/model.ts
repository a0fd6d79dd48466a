import type { Call } from "./call.ts";
import { perAttachment, promptSizeOf } from "./estimate/prompt-size.ts";
import { reportedUse, stopPart } from "./finish-part.ts";
import {
  type CallOptions,
  checkModel,
  type GenerateResult,
  type LanguageModelV4,
  replaceMethods,
  type StreamResult,
} from "./language-model.ts";
import { meteredParts, stoppedParts } from "./model-stream.ts";
import { patience } from "./patience.ts";
import type { Spending } from "./spending.ts";

/** The lowest `maxOutputTokens` that is sent: some models do not accept less. */
const leastMaximum = 16;
/**
 * The highest `maxOutputTokens` that the meter adds: every model accepts it. A limit above the model's maximum would be
 * an error.
 */
const safeMaximum = 4096;

/** @throws HeadgateError `option-invalid` */
export function meteredModel(model: LanguageModelV4, spending: Spending): LanguageModelV4 {
  checkModel("meter(…).model", model);
  spending.seesCalls();
  return replaceMethods(model, {
    doStream: (params) => stream(model, params, spending),
    doGenerate: (params) => generate(model, params, spending),
  });
}

async function stream(
  model: LanguageModelV4,
  params: CallOptions,
  spending: Spending,
): Promise<StreamResult> {
  const call = await spending.begin(model.modelId, sizeOfPrompt(params));
  if (call === undefined) return { stream: stoppedParts(spending) };
  const opened = openStream(model, params, call, spending);
  // An answer that has not begun is drained, too. Once it has begun, `meteredParts` replaces this function.
  call.drain = async () => {
    await opened;
    await call.drain?.();
  };
  return opened;
}

async function openStream(
  model: LanguageModelV4,
  params: CallOptions,
  call: Call,
  spending: Spending,
): Promise<StreamResult> {
  const waiting = patience(spending, params.abortSignal);
  const asked = new Promise<StreamResult>((resolve) => resolve(model.doStream(limited(params, spending))));
  try {
    const result = await waiting.for(asked);
    return { ...result, stream: meteredParts(result.stream, call, spending, waiting) };
  } catch (error) {
    waiting.over();
    // The model may still answer, but the answer has no reader.
    asked.then(({ stream }) => stream.cancel(error)).catch(() => {});
    await failed(call, params, spending);
    throw error;
  }
}

async function generate(
  model: LanguageModelV4,
  params: CallOptions,
  spending: Spending,
): Promise<GenerateResult> {
  const wanted = params.maxOutputTokens ?? spending.options.answerTokens;
  const call = await spending.begin(model.modelId, sizeOfPrompt(params), wanted, wanted);
  if (call === undefined) return nothingGenerated(spending);
  const generated = generateHeld(model, params, call, spending, wanted);
  call.drain = async () => void (await generated);
  return generated;
}

async function generateHeld(
  model: LanguageModelV4,
  params: CallOptions,
  call: Call,
  spending: Spending,
  wanted: number,
): Promise<GenerateResult> {
  const held = Math.max(leastMaximum, spending.account.heldOutput);
  try {
    const maxOutputTokens = Math.min(wanted, held);
    const result = await model.doGenerate({ ...limited(params, spending), maxOutputTokens });
    for (const part of result.content) countContent(part, call);
    call.report(reportedUse(result.usage));
    await spending.callOver(call, "finished");
    return result;
  } catch (error) {
    await failed(call, params, spending);
    throw error;
  }
}

/** An aborted call has been sent, so its prompt counts. */
async function failed(call: Call, params: CallOptions, spending: Spending): Promise<void> {
  const isCut = (params.abortSignal?.aborted ?? false) || spending.isGone;
  await spending.callOver(call, isCut ? "cut" : "failed");
}

/** Adds the meter's signal, and limits the output to what is affordable. */
function limited(params: CallOptions, spending: Spending): CallOptions {
  const { signal } = spending;
  const abortSignal =
    params.abortSignal === undefined ? signal : AbortSignal.any([params.abortSignal, signal]);
  const affordable = Math.max(leastMaximum, spending.account.affordableOutput);
  const { maxOutputTokens = affordable < safeMaximum ? affordable : undefined } = params;
  if (maxOutputTokens === undefined) return { ...params, abortSignal };
  return { ...params, abortSignal, maxOutputTokens: Math.min(maxOutputTokens, affordable) };
}

export function sizeOfPrompt({ prompt, tools, responseFormat }: CallOptions) {
  return promptSizeOf([prompt, tools, responseFormat]);
}

export function countContent(part: GenerateResult["content"][number], call: Call): void {
  if (part.type === "text") call.write(part.text);
  else if (part.type === "reasoning") call.write(part.text, "reasoning");
  else if (part.type === "tool-call") call.write(part.toolName + part.input);
  else if (part.type === "file") call.writeTokens(perAttachment);
}

/** The result of a call that was stopped before it began. */
function nothingGenerated(spending: Spending): GenerateResult {
  const { finishReason, usage, providerMetadata } = stopPart(spending, undefined);
  return {
    content: [],
    finishReason,
    usage,
    warnings: [],
    ...(providerMetadata ? { providerMetadata } : {}),
  };
}
