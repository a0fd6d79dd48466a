import { type Decision, endDecision, refundWithHead } from "./decisions.ts";

/**
 * Ends an admitted request where its client leaves before the handler has answered, and in a Worker, which aborts the
 * request's signal and cancels no body, also afterwards.
 *
 * @returns takes it back: for a connection that has been upgraded
 */
export function endWhenLeft(decision: Decision, request: Pick<Request, "signal">): () => void {
  const { admission } = decision;
  if (!admission.admitted || !admission.holds) return () => {};
  const { signal } = request;
  const end = () => endDecision(decision, undefined);
  signal?.addEventListener("abort", end, { once: true });
  return () => signal?.removeEventListener("abort", end);
}

/**
 * Ends an admitted request with the body of its response: read to its end, cancelled, or failed. The body is passed on
 * piece by piece, as fast as it is read. A response without a body, and one to `HEAD`, ends it at once.
 *
 * @returns the same response, or one with the same head around the same body.
 */
export function endWithBody(
  decision: Decision,
  response: Response,
  { method, signal }: Pick<Request, "method" | "signal">,
): Response {
  const { admission } = decision;
  if (!admission.admitted || !admission.holds) return response;
  const end = (isWhole = true) => endDecision(decision, response.status, isWhole);
  if (response.body === null || response.body.locked || method === "HEAD" || signal?.aborted) {
    end();
    return response;
  }
  const reader = response.body.getReader();
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (!done) return controller.enqueue(value);
          end();
          controller.close();
        } catch (error) {
          end(false);
          controller.error(error);
        }
      },
      cancel(reason) {
        end(false);
        return reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
  return new Response(body, response);
}

/** Whether a connection has been upgraded: it ends when the handler says so. Bun upgrades it by returning nothing. */
export function isUpgraded(answer: Response | undefined): boolean {
  return answer === undefined || answer === null || answer.status < 200;
}

/**
 * Runs a handler; where it fails, the admitted request has ended.
 *
 * @param statusOf what the framework will answer for what was thrown
 */
export async function endIfFailed<Answer>(
  decision: Decision,
  handle: () => Answer | Promise<Answer>,
  statusOf: (error: unknown) => number,
): Promise<Answer> {
  try {
    return await handle();
  } catch (error) {
    const status = statusOf(error);
    refundWithHead([decision], status);
    endDecision(decision, status);
    throw error;
  }
}
