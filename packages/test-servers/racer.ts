import { once } from "node:events";
import { createLimiter } from "headgate";
import type { Race, RaceResult } from "./race.ts";

/**
 * One of several processes that race for the same quota. It connects (except for a cold start), prints "ready", waits
 * for a line, sends all its requests at once, and prints how many were admitted.
 */
const { url, attemptsEach, layers, key, id, cold = false } = JSON.parse(process.argv[2] ?? "") as Race;

const limiter = createLimiter<string>({
  name: "chat",
  store: url,
  // Except for a cold start, the time limit must not decide the race.
  timeouts: cold ? {} : { storeMs: 60_000 },
  layers: layers.map(({ name, limits }) => ({ name, limits, key: (caller) => caller })),
});
if (!cold) await limiter.ready({ timeoutMs: 60_000 });
process.stdout.write("ready\n");
await once(process.stdin, "data");

const ask = () => (id === undefined ? limiter.admit(key) : limiter.admit(key, { id }));
const answers = await Promise.all(Array.from({ length: attemptsEach }, ask));
const byPolicy = answers.filter(({ decidedBy }) => decidedBy === "outage-policy");
const result: RaceResult = {
  admitted: answers.filter(({ admitted }) => admitted).length,
  byPolicy: byPolicy.length,
  admittedByPolicy: byPolicy.filter(({ admitted }) => admitted).length,
};
process.stdout.write(`${JSON.stringify(result)}\n`);
process.stdin.destroy();
await limiter.close();
