import { type Decision, endDecision, refundWithHead } from "./decisions.ts";

/**
 * Ends an admitted request if its client leaves before the handler has answered. In a Worker also if it leaves later,
 * because a Worker aborts the request's signal but does not cancel the body.
 *
 * @returns a function that stops listening, for a connection that has been upgraded
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
 * Ends an admitted request when the body of its response has been read, was cancelled, or has failed. The body is
 * passed on chunk by chunk, as fast as it is read. A response without a body, or to `HEAD`, ends the request at once.
 *
 * @returns the same response, or a copy with the same head and body.
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

/**
 * Whether a connection has been upgraded. The handler must then end the request itself. In Bun, a handler that upgrades
 * returns nothing.
 */
export function isUpgraded(answer: Response | undefined): boolean {
  return answer === undefined || answer === null || answer.status < 200;
}

/**
 * Runs a handler. If it fails, ends the admitted request.
 *
 * @param statusOf the status that the framework will send for a thrown error
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
