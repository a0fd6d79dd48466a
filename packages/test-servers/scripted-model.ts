import type { CallOptions, LanguageModelV4, StreamPart } from "../headgate/src/ai/language-model.ts";

/** What a scripted model does in one call. */
export interface Script {
  /** The pieces of its answer, one token each. */
  readonly says?: readonly string[];
  /**
   * The reported usage. Default: the words of the prompt and the pieces of the answer, one token each. `absent` reports
   * none.
   */
  readonly usage?: "absent" | { input: number; output: number; cacheRead?: number; reasoning?: number };
  /**
   * When it fails. `call`: before it answers. `first`: before the first piece. `midway`: after half of the pieces, with
   * an error part. `socket`: after half of the pieces, by throwing.
   */
  readonly fails?: "call" | "first" | "midway" | "socket";
  /** When it stops sending: from the call on, or after half of the pieces. `deaf` also ignores abort signals. */
  readonly hangs?: "call" | "midway" | "deaf";
  readonly finish?: "stop" | "tool-calls";
  /** A tool call at the end of the answer. */
  readonly calls?: { readonly name: string; readonly input: string };
}

/** A language model in this process that follows a script. */
export interface ScriptedModel extends LanguageModelV4 {
  readonly calls: CallOptions[];
  /** The number of pieces sent. */
  said: number;
  /** The number of streams cancelled before their end. */
  cancelled: number;
}

export const inputTokens = 40;

/** @param scripts one for each call; the last is repeated for further calls */
export function scriptedModel(...scripts: readonly Script[]): ScriptedModel {
  const model: ScriptedModel = {
    specificationVersion: "v4",
    provider: "scripted",
    modelId: "scripted-1",
    supportedUrls: {},
    calls: [],
    said: 0,
    cancelled: 0,
    async doStream(options) {
      const script = next(options);
      await begin(script, options);
      const parts = partsOf(script, options, model);
      return {
        stream: new ReadableStream<StreamPart>(
          {
            async pull(controller) {
              try {
                const { done, value } = await parts.next();
                if (done) controller.close();
                else controller.enqueue(value);
              } catch (error) {
                controller.error(error);
              }
            },
            cancel() {
              model.cancelled += 1;
            },
          },
          { highWaterMark: 0 },
        ),
      };
    },
    async doGenerate(options) {
      const script = next(options);
      await begin(script, options);
      if (script.fails !== undefined) throw new Error("The model failed.");
      const text = (script.says ?? []).slice(0, options.maxOutputTokens).join("");
      model.said += script.says?.length ?? 0;
      const { finishReason, usage } = finishOf(
        script,
        Math.min(script.says?.length ?? 0, options.maxOutputTokens ?? 1e9),
      );
      return { content: [{ type: "text", text }], finishReason, usage, warnings: [] };
    },
  };
  function next(options: CallOptions): Script {
    model.calls.push(options);
    return scripts[Math.min(model.calls.length, scripts.length) - 1] as Script;
  }
  return model;
}

async function begin(script: Script, { abortSignal }: CallOptions): Promise<void> {
  abortSignal?.throwIfAborted();
  if (script.hangs === "call") await aborted(abortSignal);
  if (script.hangs === "deaf") await new Promise(() => {});
  if (script.fails === "call") throw new Error("The model cannot be reached.");
}

function aborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason)));
}

async function* partsOf(
  script: Script,
  { abortSignal, maxOutputTokens = Number.POSITIVE_INFINITY }: CallOptions,
  model: ScriptedModel,
): AsyncGenerator<StreamPart, undefined> {
  const says = (script.says ?? []).slice(0, maxOutputTokens);
  const half = Math.ceil(says.length / 2);
  yield { type: "stream-start", warnings: [] };
  if (script.fails === "first") {
    yield { type: "error", error: new Error("The model is overloaded.") };
    yield { type: "finish", ...finishOf({ ...script, usage: "absent" }, 0), finishReason: failed };
    return;
  }
  yield { type: "text-start", id: "1" };
  for (const [n, delta] of says.entries()) {
    abortSignal?.throwIfAborted();
    if (n === half) {
      if (script.hangs === "midway") await aborted(abortSignal);
      if (script.fails === "socket") throw new TypeError("terminated");
      if (script.fails === "midway") {
        yield { type: "error", error: new Error("The model failed.") };
        yield { type: "finish", ...finishOf({ ...script, usage: "absent" }, 0), finishReason: failed };
        return;
      }
    }
    model.said += 1;
    yield { type: "text-delta", id: "1", delta };
  }
  yield { type: "text-end", id: "1" };
  if (script.calls !== undefined) {
    const { name, input } = script.calls;
    yield { type: "tool-call", toolCallId: `call-${model.calls.length}`, toolName: name, input };
  }
  yield { type: "finish", ...finishOf(script, says.length) };
}

const failed = { unified: "error", raw: undefined } as const;

function finishOf({ usage, finish, calls, says = [] }: Script, output: number) {
  const reported = usage ?? { input: inputTokens, output };
  const unified = calls !== undefined ? "tool-calls" : (finish ?? (output < says.length ? "length" : "stop"));
  return {
    finishReason: { unified, raw: unified } as const,
    usage: reported === "absent" ? noUsage : usageOf(reported),
  };
}

const noUsage = {
  inputTokens: { total: undefined, noCache: undefined, cacheRead: undefined, cacheWrite: undefined },
  outputTokens: { total: undefined, text: undefined, reasoning: undefined },
};

function usageOf({
  input,
  output,
  cacheRead = 0,
  reasoning = 0,
}: Exclude<Script["usage"], "absent" | undefined>) {
  return {
    inputTokens: { total: input, noCache: input - cacheRead, cacheRead, cacheWrite: undefined },
    outputTokens: { total: output, text: output - reasoning, reasoning },
  };
}

/** A model whose answer has 20 pieces, and reports any value as its usage. */
export function reporting(usage: unknown): LanguageModelV4 {
  const model = scriptedModel({ says: Array.from({ length: 20 }, () => "tide ") });
  return {
    ...model,
    async doGenerate(options) {
      return { ...(await model.doGenerate(options)), usage: usage as never };
    },
    async doStream(options) {
      const { stream } = await model.doStream(options);
      const replace = new TransformStream<StreamPart, StreamPart>({
        transform(part, controller) {
          controller.enqueue(part.type === "finish" ? { ...part, usage: usage as never } : part);
        },
      });
      return { stream: stream.pipeThrough(replace) };
    },
  };
}
