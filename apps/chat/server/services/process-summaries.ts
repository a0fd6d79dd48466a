import type { Collector, StoredSummary } from "headgate-console";
import type { Logger } from "pino";
import type { Database } from "../database/connect.ts";
import { describeError } from "../http/describe-error.ts";
import {
  deleteSummariesBefore,
  listOtherSummaries,
  touchSummary,
  upsertSummary,
} from "../repositories/process-summaries.ts";

/** Shares the counts of processes through the database. */
export interface ProcessSummaries {
  others(): Promise<StoredSummary[]>;
  /** Writes the last summary, then stops. Never rejects. */
  close(): Promise<void>;
}

export interface ProcessSummariesOptions {
  database: Database;
  collector: Collector;
  log: Logger;
  /** How often a process writes, in milliseconds. Default 2,000. */
  everyMs?: number;
}

/** Without new counts, a process only writes a heartbeat, every fifth time. */
const BEAT_EVERY = 5;
/** How long the summary of an ended process is kept: the console shows the last hour. */
const KEPT_MS = 3_600_000;

export function createProcessSummaries(options: ProcessSummariesOptions): ProcessSummaries {
  const { database, collector, log, everyMs = 2_000 } = options;
  let written = "";
  let turns = 0;
  let writing: Promise<void> = Promise.resolve();

  async function write(): Promise<void> {
    const text = JSON.stringify(collector.summary());
    turns += 1;
    if (text !== written) await upsertSummary(database, collector.id, text);
    else if (turns % BEAT_EVERY !== 0) return;
    else if (!(await touchSummary(database, collector.id))) await upsertSummary(database, collector.id, text);
    written = text;
    if (turns % BEAT_EVERY === 0) await deleteSummariesBefore(database, KEPT_MS);
  }

  /**
   * Runs one write at a time. Failures are only debug messages, because other parts report that the database is down.
   */
  function inTurn(): Promise<void> {
    writing = writing.then(write).catch((error: unknown) => {
      log.debug({ error: describeError(error) }, "cannot write this process's summary");
    });
    return writing;
  }

  let isWriting = false;
  const timer = setInterval(() => {
    if (isWriting) return;
    isWriting = true;
    void inTurn().then(() => {
      isWriting = false;
    });
  }, everyMs);
  timer.unref();
  void inTurn();

  return {
    others: () => listOtherSummaries(database, collector.id),
    close() {
      clearInterval(timer);
      return inTurn();
    },
  };
}
