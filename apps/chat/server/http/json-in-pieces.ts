import type { Context } from "hono";

/**
 * Responds with JSON in pieces, as fast as the client reads. The first piece is awaited before the head is sent, so that a
 * failure is usually a problem and not half a text.
 *
 * @param headers further fields
 */
export async function jsonInPieces(
  c: Context,
  pieces: AsyncGenerator<string>,
  headers: Record<string, string> = {},
): Promise<Response> {
  const first = await pieces.next();
  return c.body(streamOf(String(first.value), pieces), 200, {
    "Content-Type": "application/json; charset=utf-8",
    "Cache-Control": "no-store",
    ...headers,
  });
}

function streamOf(first: string, rest: AsyncGenerator<string>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(encoder.encode(first));
    },
    async pull(controller) {
      const { done, value } = await rest.next();
      if (done) controller.close();
      else controller.enqueue(encoder.encode(value));
    },
    async cancel() {
      await rest.return(undefined);
    },
  });
}
