/** An answer that does not end before its client disconnects. */
export function unending(): Response {
  return new Response(
    new ReadableStream({ start: (body) => body.enqueue(new TextEncoder().encode("one\n")) }),
  );
}
