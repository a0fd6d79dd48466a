import { Duplex } from "node:stream";
import { Worker } from "node:worker_threads";
import type { PGliteOptions } from "@electric-sql/pglite";
import { createFairTurns } from "../fair-turns.ts";
import type { FromWorker, ToWorker } from "./embedded-worker.ts";

/** An embedded database in a separate thread. */
export interface EmbeddedThread {
  /** Resolves when the database is open, and rejects if it cannot be opened. */
  start(): Promise<void>;
  /** Returns a connection for `pg`, in place of a socket. */
  connect(): Duplex;
  /** Writes everything to the files, and ends the thread. */
  close(): Promise<void>;
}

/**
 * PGlite cannot be interrupted. If one statement takes longer than this, the thread is ended, so that it does not hang
 * for ever.
 */
const STUCK_MS = 60_000;

interface RunningThread {
  send(message: ToWorker): void;
  connections: Map<number, Duplex>;
  ended: Promise<void>;
}

/**
 * Prepares the thread. If it ends by itself, the next connection starts another one, which repairs the files as after a
 * killed process. A database in memory is lost with its thread, and stays closed.
 */
export function createThread(options: PGliteOptions, stuckMs = STUCK_MS): EmbeddedThread {
  let running: Promise<RunningThread> | undefined;
  let isOver = false;
  let opened = 0;

  function forget(): void {
    running = undefined;
    if (options.dataDir === undefined) isOver = true;
  }

  async function run(): Promise<RunningThread> {
    if (isOver) throw new Error("PGlite is closed");
    running ??= startWorker(options, stuckMs, forget);
    return running;
  }

  return {
    async start() {
      await run();
    },
    connect() {
      opened += 1;
      return new EmbeddedConnection(opened, run);
    },
    async close() {
      isOver = true;
      const thread = await running?.catch(() => undefined);
      thread?.send("close");
      await thread?.ended;
    },
  };
}

async function startWorker(
  options: PGliteOptions,
  stuckMs: number,
  onEnd: () => void,
): Promise<RunningThread> {
  const isSource = import.meta.url.endsWith(".ts");
  const file = new URL(`./embedded-worker.${isSource ? "ts" : "js"}`, import.meta.url);
  const worker = new Worker(file, { workerData: options });
  const connections = new Map<number, Duplex>();
  // The work after a query takes longer than the query itself: many queries at once would block the event loop.
  const fairTurns = createFairTurns();
  let unanswered = 0;
  const watch = setTimeout(() => {
    if (unanswered > 0) void worker.terminate();
  }, stuckMs);
  watch.unref();

  let reason = new Error("PGlite is closed");
  worker.once("error", (error) => {
    reason = new Error(`PGlite failed: ${(error as Error).message}`);
  });
  const ended = new Promise<void>((resolve) =>
    worker.once("exit", () => {
      clearTimeout(watch);
      onEnd();
      for (const connection of connections.values()) connection.destroy(reason);
      resolve();
    }),
  );
  await new Promise<void>((resolve, reject) => {
    worker.on("message", (message: FromWorker) => {
      if (message === "ready") return resolve();
      if ("crash" in message) {
        reason = new Error(`PGlite failed: ${message.crash}`);
        return;
      }
      unanswered -= 1;
      watch.refresh();
      void fairTurns.take().then(() => connections.get(message.connection)?.push(message.bytes));
    });
    void ended.then(() => reject(reason));
  });

  function send(message: ToWorker): void {
    if (message === "close" || message.bytes) unanswered += 1;
    watch.refresh();
    worker.postMessage(message);
  }
  return { send, connections, ended };
}

const TERMINATE = "X".charCodeAt(0);

/** The parts of a socket that `pg` uses. */
class EmbeddedConnection extends Duplex {
  readonly #id: number;
  readonly #run: () => Promise<RunningThread>;
  #thread: RunningThread | undefined;

  constructor(id: number, run: () => Promise<RunningThread>) {
    super();
    this.#id = id;
    this.#run = run;
  }

  connect(): void {
    this.#run().then(
      (thread) => {
        thread.connections.set(this.#id, this);
        this.#thread = thread;
        this.emit("connect");
      },
      (error) => this.destroy(error),
    );
  }

  setNoDelay(): void {}
  ref(): void {}
  unref(): void {}

  override _read(): void {}

  override _write(bytes: Buffer, _encoding: string, done: () => void): void {
    if (bytes[0] !== TERMINATE) this.#thread?.send({ connection: this.#id, bytes });
    done();
  }

  /** The messages of one query come together, and are one message to the thread. */
  override _writev(chunks: { chunk: Buffer }[], done: () => void): void {
    this._write(Buffer.concat(chunks.map(({ chunk }) => chunk)), "", done);
  }

  override _final(done: () => void): void {
    done();
    this.destroy();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#thread?.connections.delete(this.#id);
    this.#thread?.send({ connection: this.#id });
    done(error);
  }
}
