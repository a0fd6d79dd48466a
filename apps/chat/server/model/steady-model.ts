import type { LanguageModelV4, LanguageModelV4StreamPart } from "@ai-sdk/provider";
import { wrapLanguageModel } from "ai";

/**
 * Wraps a model so that its stream ends with an `error` part if the connection breaks, instead of erroring. If the
 * stream errors, the SDK loses the earlier text, and neither calls `onError` nor settles usage.
 */
export function steady(model: LanguageModelV4): LanguageModelV4 {
  return wrapLanguageModel({
    model,
    middleware: {
      specificationVersion: "v4",
      async wrapStream({ doStream, params }) {
        const { stream, ...rest } = await doStream();
        return { ...rest, stream: endingInErrorPart(stream, params.abortSignal) };
      },
    },
  });
}

function endingInErrorPart(
  stream: ReadableStream<LanguageModelV4StreamPart>,
  abortSignal: AbortSignal | undefined,
): ReadableStream<LanguageModelV4StreamPart> {
  const reader = stream.getReader();
  return new ReadableStream<LanguageModelV4StreamPart>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (done) controller.close();
          else controller.enqueue(value);
        } catch (error) {
          // A stop is not a failure; the SDK has a separate part for it.
          if (abortSignal?.aborted) return controller.error(error);
          controller.enqueue({ type: "error", error });
          controller.close();
        }
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}
