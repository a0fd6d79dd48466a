/** Runs the embedded database in a separate thread, so that requests do not wait for its queries. */
import { setFlagsFromString } from "node:v8";
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { PGlite, type PGliteOptions } from "@electric-sql/pglite";

/** Whole messages of PostgreSQL's protocol, from or to one connection; without bytes, the connection has ended. */
export interface Packet {
  connection: number;
  bytes?: Uint8Array;
}

export type ToWorker = Packet | "close";
/** "ready" comes first; a crash is the last. */
export type FromWorker = Packet | "ready" | { crash: string };

/**
 * PostgreSQL fills its buffers at the start, which took longer than everything else with the default of 128 MB. Other
 * pages are in the operating system's cache.
 */
const SHARED_BUFFERS = "16MB";

const STARTUP = Buffer.from("\0\0\0\x17\0\x03\0\0user\0postgres\0\0", "latin1");
const ROLLBACK = Buffer.from("Q\0\0\0\rrollback\0", "latin1");
/** The end of a reply: ReadyForQuery, then "I", or "T" or "E" in a transaction. */
const READY = Buffer.from("Z\0\0\0\x05", "latin1");
const IDLE = "I".charCodeAt(0);

/** What PostgreSQL logs when it ends, such as without room for its write-ahead log. Line breaks in data are indented. */
const CRASH = /^[\d-]+ [\d:.]+ \w+ \[\d+\] (?:PANIC|FATAL): +(.*)/;

/** Starts PGlite with settings for a service: less memory and a faster start than the defaults. */
function startPglite(options: PGliteOptions, port: MessagePort): Promise<PGlite> {
  // The optimising compiler would use seconds of processor time and 600 MB for one huge function of PostgreSQL during
  // the first queries. It makes the service's short queries less than 20% faster, and only after thousands of queries.
  setFlagsFromString("--liftoff-only");
  return PGlite.create({
    ...options,
    startParams: [...PGlite.defaultStartParams, "-c", `shared_buffers=${SHARED_BUFFERS}`],
    onStderr(line) {
      const crash = CRASH.exec(line)?.[1];
      if (crash === undefined) return true;
      port.postMessage({ crash } satisfies FromWorker);
      // PGlite would ignore the end of PostgreSQL, and never answer again.
      process.exit(1);
    },
  });
}

/**
 * Answers several connections with the one session of PGlite. A connection in a transaction has the session to itself
 * until the transaction ends. The connections share all else, such as settings and named statements.
 */
function serve(client: PGlite, port: MessagePort): void {
  // Repeated for every connection, because each startup would use more memory.
  const greeting = client.execProtocolRawSync(STARTUP).slice();
  const waiting: Packet[] = [];
  let inTransaction: number | undefined;

  function answer({ connection, bytes }: Packet): void {
    if (bytes?.[0] === 0) {
      reply(connection, greeting);
      return;
    }
    if (!bytes && connection !== inTransaction) return;
    const answered = client.execProtocolRawSync(bytes ?? ROLLBACK);
    if (!READY.equals(answered.subarray(-6, -1))) throw new Error("a reply has no end");
    inTransaction = answered.at(-1) === IDLE ? undefined : connection;
    if (bytes) reply(connection, answered);
  }

  function reply(connection: number, bytes: Uint8Array): void {
    port.postMessage({ connection, bytes } satisfies FromWorker);
  }

  port.on("message", (message: ToWorker) => {
    if (message === "close") return void client.close().then(() => port.close());
    waiting.push(message);
    for (;;) {
      const next = waiting.findIndex(({ connection }) => connection === (inTransaction ?? connection));
      const [packet] = next === -1 ? [] : waiting.splice(next, 1);
      if (!packet) return;
      answer(packet);
    }
  });
  port.postMessage("ready" satisfies FromWorker);
}

if (parentPort) serve(await startPglite(workerData as PGliteOptions, parentPort), parentPort);
