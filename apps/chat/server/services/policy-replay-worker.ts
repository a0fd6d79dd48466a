/** Replays a decision log in a separate thread, so that requests do not wait for it. */
import { isMainThread, parentPort, workerData } from "node:worker_threads";
import type { PolicyDocument } from "headgate/policy-document";
import type { PolicyReplay } from "headgate-console";
import { InputError, readLog, replay, summarize, trafficOf } from "headgate-server";

export interface ReplayWork {
  places: readonly string[];
  limiter: string;
  document: PolicyDocument;
  /** Counts decisions from this time on, in milliseconds since 1970-01-01T00:00Z. */
  from: number | undefined;
  newest: number;
}

export type ReplayResult = { summary: PolicyReplay } | { mistake: string };

async function replayed({ places, limiter, document, from, newest }: ReplayWork): Promise<ReplayResult> {
  try {
    const content = await readLog(places, { limiter, newest });
    const traffic = trafficOf(content.lines, limiter, false);
    const summary = summarize(traffic, content, replay(traffic, document), true, { from });
    if (summary.decisions === 0) return { mistake: `No decision of ${limiter} is as recent as that.` };
    return { summary };
  } catch (error) {
    if (error instanceof InputError) return { mistake: error.message };
    throw error;
  }
}

if (!isMainThread) parentPort?.postMessage(await replayed(workerData as ReplayWork));
