import { HeadgateError } from "../core/errors.ts";
import { show } from "../core/show.ts";
import { isThenable } from "../core/thenable.ts";
import { isAsyncIterable } from "./async-iterable.ts";
import type { Call } from "./call.ts";
import { promptSizeOf } from "./estimate/prompt-size.ts";
import { type Patience, patience } from "./patience.ts";
import type { StreamReader } from "./readers.ts";
import type { Spending } from "./spending.ts";

/** The part of Node's response that a meter needs. */
export interface NodeResponse {
  readonly writableFinished: boolean;
  readonly destroyed: boolean;
  readonly statusCode: number;
  once(event: "close", listener: () => void): unknown;
}

/** The responses and streams that can end an admission. */
export type Bindable = Response | ReadableStream<unknown> | AsyncIterable<unknown> | NodeResponse;

/** The type of a stream's parts. */
export type PartOf<Stream> =
  Stream extends ReadableStream<infer Part> ? Part : Stream extends AsyncIterable<infer Part> ? Part : never;

const unbuffered = { highWaterMark: 0 };

/**
 * @returns the same kind of stream. When it ends, the spending ends.
 * @throws HeadgateError `option-invalid`
 */
export function bindStream<Stream extends Bindable>(
  stream: Stream,
  spending: Spending,
  parts: StreamReader<PartOf<Stream>> | undefined,
): Stream {
  const read = parts as StreamReader | undefined;
  if (typeof stream !== "object" || stream === null) throw notBindable(stream);
  if (read !== undefined) checkReader(read, stream);
  if (stream instanceof Response) return bindResponse(stream, spending) as Stream;
  if (stream instanceof ReadableStream) return bindReadable(stream, spending, read) as Stream;
  if (isNodeResponse(stream)) {
    bindNodeResponse(stream, spending);
    return stream;
  }
  if (isAsyncIterable(stream)) return bindIterable(stream, spending, read) as Stream;
  throw notBindable(stream);
}

/** With a reader that is not used, no tokens would be counted. */
function checkReader(read: StreamReader, stream: object): void {
  const isReader = typeof read?.text === "function" && typeof read.usage === "function";
  if (!isReader)
    throw new HeadgateError(
      "option-invalid",
      `The reader given to bind must be openaiChat, openaiResponses, anthropicMessages or an object with text(part) and usage(part), got ${show(read)}.`,
    );
  if (stream instanceof Response || isNodeResponse(stream))
    throw new HeadgateError(
      "option-invalid",
      "bind takes a reader only for a stream of parts. A Response contains bytes: bind the stream that the provider's client returned.",
    );
}

function notBindable(stream: unknown): HeadgateError {
  const what = isThenable(stream) ? "a promise: await it first" : show(stream);
  return new HeadgateError(
    "option-invalid",
    `bind takes a Response, a ReadableStream, an async iterable or Node's response, got ${what}.`,
  );
}

function isNodeResponse(stream: object): stream is NodeResponse {
  return "writableFinished" in stream && typeof (stream as { once?: unknown }).once === "function";
}

function bindResponse(response: Response, spending: Spending): Response {
  // An upgraded connection has no end that can be observed here. Only `end` ends the admission.
  if (response.status < 200) return response;
  const hasFailed = response.status >= 500;
  if (response.body === null) {
    spending.bound("stream");
    void spending.over(hasFailed);
    return response;
  }
  return new Response(
    boundStream(ending(piecesOf(response.body, "response"), spending, { hasFailed })),
    response,
  );
}

function bindReadable(
  stream: ReadableStream<unknown>,
  spending: Spending,
  read: StreamReader | undefined,
): ReadableStream<unknown> {
  return boundStream(ending(piecesOf(stream, "stream"), spending, { read }));
}

function bindNodeResponse(response: NodeResponse, spending: Spending): void {
  spending.bound("response");
  const closed = () => {
    if (response.writableFinished) void spending.over(response.statusCode >= 500);
    else void spending.gone();
  };
  if (response.destroyed) closed();
  else response.once("close", closed);
}

/** The source of a bound stream. */
interface Pieces {
  next(): Promise<IteratorResult<unknown, unknown>>;
  /** Called when the reader leaves. */
  leave(reason: unknown): Promise<unknown>;
}

/** @throws HeadgateError `option-invalid` if the stream already has a reader */
function piecesOf(stream: ReadableStream<unknown>, what: "response" | "stream"): Pieces {
  if (stream.locked)
    throw new HeadgateError(
      "option-invalid",
      `The ${what} given to bind has a reader already, or was read. Give bind an unread stream, and read the stream that bind returns.`,
    );
  const reader = stream.getReader();
  return {
    async next() {
      const { done, value } = await reader.read();
      return done ? { done, value: undefined } : { done, value };
    },
    leave: (reason) => reader.cancel(reason),
  };
}

function boundStream(bound: Pieces): ReadableStream {
  return new ReadableStream<unknown>(
    {
      async pull(controller) {
        try {
          const { done, value } = await bound.next();
          if (done) controller.close();
          else controller.enqueue(value);
        } catch (error) {
          controller.error(error);
        }
      },
      async cancel(reason) {
        await bound.leave(reason);
      },
    },
    unbuffered,
  );
}

interface EndingOptions {
  readonly read?: StreamReader | undefined;
  /** Whether the response itself has failed. */
  readonly hasFailed?: boolean;
}

/** Meters the pieces. Ends the spending with the last piece, before the reader is notified of the end. */
function ending(source: Pieces, spending: Spending, { read, hasFailed = false }: EndingOptions): Pieces {
  const pieces = read === undefined ? source : meteredPieces(source, spending, read);
  async function next(): Promise<IteratorResult<unknown, unknown>> {
    try {
      const piece = await pieces.next();
      if (piece.done) await spending.over(hasFailed);
      return piece;
    } catch (error) {
      await spending.over(true);
      throw error;
    }
  }
  /** Reads the rest after the client left, to learn the provider's count. */
  async function drain(): Promise<void> {
    try {
      while (spending.drains) if ((await next()).done) return;
      await pieces.leave("drained long enough");
    } catch {
      // The failure has already ended the spending.
    }
  }

  spending.bound("stream", read !== undefined);
  return {
    next,
    async leave(reason) {
      await spending.gone();
      if (spending.drains) void drain();
      else await pieces.leave(reason);
    },
  };
}

function bindIterable(
  stream: AsyncIterable<unknown>,
  spending: Spending,
  read: StreamReader | undefined,
): AsyncIterable<unknown> {
  const iterator = stream[Symbol.asyncIterator]();
  let isStarted = false;
  const source: Pieces = {
    next: async () => {
      isStarted = true;
      return iterator.next();
    },
    async leave(reason) {
      // A generator that has not started does not run its `finally`, so the connection to the provider would stay open.
      if (!isStarted) controllerOf(stream)?.abort(reason);
      return iterator.return?.();
    },
  };
  const pieces = ending(source, spending, { read });
  const bound: AsyncIterator<unknown> = {
    next: () => pieces.next(),
    async return(value) {
      await pieces.leave("the reader left");
      return { done: true, value };
    },
    async throw(error) {
      await pieces.leave(error);
      throw error;
    },
  };
  // Other properties of the stream, such as the provider's controller, stay available.
  const same: object = Object.create(stream);
  const own = "next" in stream ? bound : {};
  return Object.assign(same, own, { [Symbol.asyncIterator]: () => bound }) as AsyncIterable<unknown>;
}

/** The controller that the streams of OpenAI's and Anthropic's clients have. */
function controllerOf(stream: object): AbortController | undefined {
  const { controller } = stream as { controller?: unknown };
  return controller instanceof AbortController ? controller : undefined;
}

/** Meters the parts of a stream from a provider's own client. The stream is one call of the model. */
function meteredPieces(pieces: Pieces, spending: Spending, read: StreamReader): Pieces {
  const waiting: Patience = patience(spending);
  let call: Call | undefined;
  let hasFailed = false;
  let isOver = false;
  let isUnreadable = false;
  const done = { done: true, value: undefined } as const;

  async function stop(how: "cut" | "finished" | "failed"): Promise<void> {
    isOver = true;
    waiting.over();
    if (call !== undefined) await spending.callOver(call, how);
  }

  function count(part: unknown, call: Call): void {
    try {
      call.write(read.text(part) ?? "");
      const usage = read.usage(part);
      if (usage !== undefined) call.report(usage);
      if (read.failed?.(part) === true) hasFailed = true;
    } catch (error) {
      // Report once: the other parts are probably unreadable too.
      if (!isUnreadable) spending.options.onError(error);
      isUnreadable = true;
      // An unreadable part is counted by its whole content.
      call.writeTokens(promptSizeOf(part).tokens);
    }
  }

  async function outOfBudget(): Promise<typeof done> {
    spending.outOfBudget();
    await stop("cut");
    pieces.leave("budget").catch(() => {});
    return done;
  }

  return {
    async next() {
      if (isOver) return done;
      try {
        if (call === undefined) {
          const tokens = spending.promptTokens;
          call = await spending.begin(undefined, { tokens, bytes: tokens });
          if (call === undefined) return await outOfBudget();
        } else if (call.said && !(await spending.account.keepAhead())) return await outOfBudget();
        const piece = await waiting.for(pieces.next());
        if (piece.done) {
          await stop(hasFailed ? "failed" : "finished");
          return piece;
        }
        count(piece.value, call);
        return piece;
      } catch (error) {
        await stop(spending.isGone ? "cut" : "failed");
        pieces.leave(error).catch(() => {});
        throw error;
      }
    },
    async leave(reason) {
      await stop("cut");
      await pieces.leave(reason);
    },
  };
}
