import { readUIMessageStream } from "ai";
import type { Logger } from "pino";
import type { ChatMessage } from "../../contract.ts";
import type { Database } from "../database/connect.ts";
import { describeError } from "../http/describe-error.ts";
import {
  beat,
  deletePartsBefore,
  insertParts,
  listParts,
  type PartsRow,
} from "../repositories/answer-parts.ts";
import type { Used } from "../repositories/turns.ts";
import { noUsage } from "../usage.ts";
import type { AnswerChunk } from "./answer-stream.ts";

/** Stores the parts of running answers, so that any process can show them, and a partial answer survives a crash. */
export interface Journal {
  /** @param onStop called once if the answer is asked to stop, through any process */
  open(answerId: string, onStop: () => void): JournalEntry;
  /** Stops an answer of this process. Answers of other processes are stopped through the database. */
  stop(answerId: string): void;
  close(): void;
}

/** The journal of one answer. */
export interface JournalEntry {
  write(chunk: AnswerChunk): void;
  /** Records what the answer has used so far. */
  use(used: Used): void;
  /** Writes the rest, and stops the heartbeats. Never rejects. */
  close(): Promise<void>;
}

export interface JournalOptions {
  database: Database;
  log: Logger;
  /** How often chunks of all answers are written. Default 250 ms. */
  flushMs?: number;
  /** How often a process sends heartbeats, and checks which answers to stop. Default 1,000 ms. */
  beatMs?: number;
}

/** The maximum number of parts that are kept of one answer. The latest are kept. */
export const MOST_PARTS = 2_000;
export const MOST_BYTES = 1_048_576;
/**
 * The maximum number of parts in a batch. Batches are dropped as a whole, so up to one batch less than the limits is
 * kept.
 */
const MOST_PARTS_A_BATCH = 100;
const MOST_BYTES_A_BATCH = 65_536;

/** Chunks that were written together. */
interface Batch {
  position: number;
  count: number;
  bytes: number;
}

interface Open {
  answerId: string;
  pending: AnswerChunk[];
  /** Rows that are not written to the database yet. */
  unwritten: PartsRow[];
  used: Used;
  isNews: boolean;
  nextPosition: number;
  batches: Batch[];
  onStop: (() => void) | undefined;
}

export function createJournal(options: JournalOptions): Journal {
  const { database, log, flushMs = 250, beatMs = 1_000 } = options;
  const entries = new Map<string, Open>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let writing: Promise<void> = Promise.resolve();
  let nextBeat = 0;

  function schedule(): void {
    if (timer !== undefined || entries.size === 0) return;
    timer = setTimeout(() => {
      timer = undefined;
      void inTurn(writeAll).then(schedule);
    }, flushMs);
    timer.unref();
  }

  /** Runs one write at a time, so that batches of an answer keep their order. */
  function inTurn(write: () => Promise<void>): Promise<void> {
    writing = writing.then(write).catch((error: unknown) => {
      log.warn({ error: describeError(error) }, "cannot write running answers");
    });
    return writing;
  }

  async function writeAll(): Promise<void> {
    const isBeat = performance.now() >= nextBeat;
    const open = [...entries.values()].filter((entry) => isBeat || entry.isNews);
    if (open.length === 0) return;
    if (isBeat) nextBeat = performance.now() + beatMs;
    await write(open);
    const beats = open.map(({ answerId, used }) => ({ answerId, ...used }));
    for (const answerId of await beat(database, beats)) stop(answerId);
  }

  async function write(open: readonly Open[]): Promise<void> {
    for (const entry of open) takePending(entry);
    await insertParts(
      database,
      open.flatMap(({ unwritten }) => unwritten),
    );
    for (const entry of open) entry.unwritten = [];
    await deletePartsBefore(database, open.flatMap(dropOldest));
  }

  function stop(answerId: string): void {
    const entry = entries.get(answerId);
    const { onStop } = entry ?? {};
    if (entry) entry.onStop = undefined;
    onStop?.();
  }

  return {
    open(answerId, onStop) {
      const entry: Open = {
        answerId,
        pending: [],
        unwritten: [],
        used: { usage: noUsage, cost: 0 },
        isNews: false,
        nextPosition: 0,
        batches: [],
        onStop,
      };
      entries.set(answerId, entry);
      schedule();
      return {
        write(chunk) {
          append(entry.pending, chunk);
          entry.isNews = true;
        },
        use(used) {
          entry.used = used;
          entry.isNews = true;
        },
        close() {
          entries.delete(answerId);
          return inTurn(() => write([entry]));
        },
      };
    },
    stop,
    close() {
      clearTimeout(timer);
      entries.clear();
    },
  };
}

/** Appends a chunk. Joins consecutive pieces of the same text. */
function append(pending: AnswerChunk[], chunk: AnswerChunk): void {
  const last = pending.at(-1);
  if (
    (chunk.type === "text-delta" || chunk.type === "reasoning-delta") &&
    last?.type === chunk.type &&
    last.id === chunk.id
  ) {
    pending[pending.length - 1] = { ...last, delta: last.delta + chunk.delta };
  } else pending.push(chunk);
}

function takePending(entry: Open): void {
  entry.isNews = false;
  let lines: string[] = [];
  let bytes = 0;
  const close = () => {
    if (lines.length === 0) return;
    const { answerId, nextPosition: position } = entry;
    const count = lines.length;
    entry.batches.push({ position, count, bytes });
    entry.unwritten.push({ answerId, position, count, chunks: lines.join("\n") });
    entry.nextPosition += count;
    lines = [];
    bytes = 0;
  };
  for (const chunk of entry.pending.splice(0)) {
    const line = JSON.stringify(chunk);
    const more = Buffer.byteLength(line) + 1;
    if (lines.length === MOST_PARTS_A_BATCH || bytes + more > MOST_BYTES_A_BATCH) close();
    lines.push(line);
    bytes += more;
  }
  close();
}

/** Drops the oldest batches above the limits. Returns the new first position, if any were dropped. */
function dropOldest(entry: Open): { answerId: string; position: number }[] {
  const { answerId, batches } = entry;
  let count = 0;
  let bytes = 0;
  const first = batches.findLastIndex((batch) => {
    count += batch.count;
    bytes += batch.bytes;
    return count > MOST_PARTS || bytes > MOST_BYTES;
  });
  if (first === -1) return [];
  batches.splice(0, first + 1);
  return [{ answerId, position: batches[0]?.position ?? entry.nextPosition }];
}

/** Returns the chunks of a row. */
export function chunksIn({ chunks }: Pick<PartsRow, "chunks">): AnswerChunk[] {
  return chunks.split("\n").map((line) => JSON.parse(line) as AnswerChunk);
}

/** Returns the stored parts of an answer's message. */
export async function readAnswer(database: Database, answerId: string): Promise<ChatMessage["parts"]> {
  const rows = await listParts(database, answerId, 0);
  const chunks = rows.flatMap(chunksIn).filter(hasBeginning());
  const stream = new ReadableStream<AnswerChunk>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });
  let parts: ChatMessage["parts"] = [];
  for await (const message of readUIMessageStream<ChatMessage>({ stream, onError: () => {} })) {
    parts = message.parts;
  }
  return parts;
}

/** Returns a filter for chunks that continue a part whose beginning is missing, as in a very long answer. */
function hasBeginning(): (chunk: AnswerChunk) => boolean {
  const begun = new Set<string>();
  return (chunk) => {
    if (chunk.type === "error" || chunk.type === "finish" || chunk.type === "abort") return false;
    const [, kind, step] = /^(text|reasoning|tool)-(?:input-|output-)?(.+)$/.exec(chunk.type) ?? [];
    const id = "toolCallId" in chunk ? chunk.toolCallId : "id" in chunk ? chunk.id : undefined;
    if (kind === undefined || id === undefined) return true;
    if (step === "start" || chunk.type === "tool-input-available") begun.add(`${kind} ${id}`);
    return begun.has(`${kind} ${id}`);
  };
}
