import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import type { AdapterAnswer, ReadField } from "../../headgate/src/testing/index.ts";

/** Reads the fields of a request of any framework. */
export function fieldsOf({ headers }: { headers: IncomingHttpHeaders }): ReadField {
  return (name) => headers[name]?.toString();
}

export async function textOf(incoming: IncomingMessage): Promise<string> {
  let text = "";
  incoming.setEncoding("utf8");
  for await (const piece of incoming) text += piece;
  return text;
}

/** Writes an answer to a Node response. */
export async function write(
  response: ServerResponse,
  { status, headers, body }: AdapterAnswer,
): Promise<void> {
  response.statusCode = status;
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  if (body === null || typeof body === "string") {
    response.end(body ?? undefined);
    return;
  }
  for await (const piece of body) response.write(piece);
  response.end();
}

/** Writes the answer of an `onRefused`, which is always text. */
export function writeText(response: ServerResponse, { status, headers, body }: AdapterAnswer): void {
  response.statusCode = status;
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  response.end(body ?? undefined);
}

/** Returns the answer as a web-standard `Response`. */
export function responseOf({ status, headers, body }: AdapterAnswer): Response {
  return new Response(typeof body === "string" || body === null ? body : streamOf(body), { status, headers });
}

function streamOf(pieces: AsyncIterable<string>): ReadableStream<Uint8Array> {
  const iterator = pieces[Symbol.asyncIterator]();
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await iterator.next();
      if (done) controller.close();
      else controller.enqueue(new TextEncoder().encode(value));
    },
  });
}
