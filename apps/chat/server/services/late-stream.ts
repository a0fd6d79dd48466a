/** A stream that exists before its source does. */
export interface LateStream<Part> {
  stream: ReadableStream<Part>;
  /** Passes on the parts of this source, as fast as they are read. */
  open(source: ReadableStream<Part>): void;
}

export function lateStream<Part>(): LateStream<Part> {
  let open: LateStream<Part>["open"] = () => {};
  const reader = new Promise<ReadableStreamDefaultReader<Part>>((resolve) => {
    open = (source) => resolve(source.getReader());
  });
  const stream = new ReadableStream<Part>(
    {
      async pull(controller) {
        const { done, value } = await (await reader).read();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: async (reason) => (await reader).cancel(reason),
    },
    { highWaterMark: 0 },
  );
  return { stream, open };
}
