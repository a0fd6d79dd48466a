import type { Admission } from "../core/admission.ts";

/**
 * Ends an admitted request with the body of its response: read to its end, cancelled, or failed. The body is passed on
 * piece by piece, as fast as it is read. A response without a body ends it at once.
 *
 * @param signal of the request: Workers do not cancel the body when the client has left, they abort this.
 * @returns the same response, or one with the same head around the same body.
 */
export function endWithBody(admission: Admission, response: Response, signal?: AbortSignal): Response {
  if (!admission.admitted || !admission.holds) return response;
  const end = () => void admission.end();
  // What has been upgraded is no response any more: it ends when the handler says so.
  if (response.status < 200) return response;
  if (response.body === null) {
    end();
    return response;
  }
  if (signal?.aborted) end();
  else signal?.addEventListener("abort", end, { once: true });
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
          end();
          controller.error(error);
        }
      },
      cancel(reason) {
        end();
        return reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
  return new Response(body, response);
}

/** Runs a handler; where it fails, the admitted request has ended. */
export async function endIfFailed<Answer>(
  admission: Admission,
  handle: () => Answer | Promise<Answer>,
): Promise<Answer> {
  try {
    return await handle();
  } catch (error) {
    if (admission.admitted && admission.holds) void admission.end();
    throw error;
  }
}
