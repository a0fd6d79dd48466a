import { describe } from "../../core/describe.ts";
import { HeadgateError } from "../../core/errors.ts";
/** A web stream of bytes. */
export interface ByteStream {
  getReader(): {
    read(): Promise<{ done: boolean; value?: Uint8Array | undefined }>;
    cancel(reason?: unknown): Promise<void>;
  };
}

/** Where a body comes from: text, bytes, a web stream, a `Request`, or Node's `IncomingMessage`. */
export type BodySource =
  | string
  | Uint8Array
  | ByteStream
  | AsyncIterable<Uint8Array>
  | { readonly body: ByteStream | null };

/** Reads a body chunk by chunk. */
export interface BodyReader {
  /** @returns `undefined` at the end */
  next(): Promise<Uint8Array | undefined>;
  /** Stops reading. The connection can still carry a response. */
  stop(): void;
}

/**
 * @throws {HeadgateError} `option-invalid` for a value that is not a body, such as one that other middleware has
 * already parsed
 */
export function readerOf(source: BodySource): BodyReader {
  if (typeof source === "string") return chunks([new TextEncoder().encode(source)]);
  if (source instanceof Uint8Array) return chunks([source]);
  if (typeof source === "object" && source !== null) {
    if ("getReader" in source) return streamReader(source);
    if (Symbol.asyncIterator in source) return iterableReader(source);
    if ("body" in source && source.body === null) return chunks([]);
    if ("body" in source && typeof source.body?.getReader === "function") return streamReader(source.body);
  }
  throw new HeadgateError(
    "option-invalid",
    `boundedJson takes a Request, a stream, an IncomingMessage, bytes or text, got ${describe(source)}. ` +
      "A body that was parsed already can no longer be bounded: mount boundedJson in place of the parser.",
  );
}

/** The request's `Content-Length`; `undefined` if it is absent or invalid. */
export function statedLength(source: BodySource): number | undefined {
  const headers = (source as { headers?: unknown } | null | undefined)?.headers;
  if (typeof headers !== "object" || headers === null) return undefined;
  const text =
    headers instanceof Headers
      ? headers.get("content-length")
      : (headers as Record<string, unknown>)["content-length"];
  return typeof text === "string" && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

function chunks(all: Uint8Array[]): BodyReader {
  return { next: async () => all.shift(), stop() {} };
}

function streamReader(stream: ByteStream): BodyReader {
  const reader = stream.getReader();
  return {
    async next() {
      const { done, value } = await reader.read();
      return done ? undefined : value;
    },
    stop() {
      // Cancelling a failed stream fails too, which can be ignored.
      reader.cancel().catch(() => {});
    },
  };
}

/**
 * By default, ending the iteration of a Node stream early destroys the stream and its connection, so no response could
 * be sent.
 */
interface NodeStream {
  iterator(options: { destroyOnReturn: boolean }): AsyncIterator<Uint8Array>;
  resume(): unknown;
}

function iterableReader(source: AsyncIterable<Uint8Array>): BodyReader {
  const stream = source as AsyncIterable<Uint8Array> & Partial<NodeStream>;
  const iterator = stream.iterator?.({ destroyOnReturn: false }) ?? source[Symbol.asyncIterator]();
  return {
    async next() {
      const { done, value } = await iterator.next();
      return done ? undefined : value;
    },
    stop() {
      // Discard the rest of the body.
      Promise.resolve(iterator.return?.()).then(
        () => stream.resume?.(),
        () => {},
      );
    },
  };
}
