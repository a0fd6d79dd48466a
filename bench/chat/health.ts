import { get } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { attend } from "../measuring/companion.ts";
import { percentileOf } from "../measuring/figures.ts";

/** "watch" starts the requests. "waits" stops them, and returns how long the responses took. */
export type Question = { do: "watch"; url: string } | { do: "waits" };

export interface Waits {
  readonly asked: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly longestMs: number;
}

/** Requests are sent at this interval even if earlier ones are not answered, so a slow response does not hide others. */
const EVERY_MS = 50;

let isWatching = false;
let pending: Promise<number>[] = [];

attend(() => async (asked: Question): Promise<Waits | null> => {
  if (asked.do === "watch") {
    pending = [];
    isWatching = true;
    void watch(asked.url);
    return null;
  }
  isWatching = false;
  const waitsMs = await Promise.all(pending);
  return {
    asked: waitsMs.length,
    p50Ms: percentileOf(waitsMs, 0.5),
    p99Ms: percentileOf(waitsMs, 0.99),
    longestMs: Math.max(...waitsMs),
  };
});

async function watch(url: string): Promise<void> {
  while (isWatching) {
    pending.push(askHealth(url));
    await pause(EVERY_MS);
  }
}

/** Uses a new connection each time, like a probe. */
function askHealth(url: string): Promise<number> {
  const startedMs = performance.now();
  return new Promise((resolve, reject) => {
    get(`${url}/health`, { agent: false }, (response) => {
      response.resume();
      response.once("end", () => {
        if (response.statusCode === 200) resolve(performance.now() - startedMs);
        else reject(new Error(`/health answered ${response.statusCode}.`));
      });
    }).once("error", reject);
  });
}
