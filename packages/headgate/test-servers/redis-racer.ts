import { once } from "node:events";
import { createLimiter } from "headgate";
import { redisStore } from "headgate/redis";

/**
 * One of several processes that race for the same quota: connects, says "ready", waits for a line, asks so many times
 * at once, and says how often it was admitted.
 */
const [url = "", attempts = "", layers = "[]", key = ""] = process.argv.slice(2);

const store = redisStore(url);
const limiter = createLimiter<string>({
  name: "chat",
  store,
  // Not the time limit is raced against here.
  timeouts: { storeMs: 60_000 },
  layers: (JSON.parse(layers) as { name: string; limits: string }[]).map(({ name, limits }) => ({
    name,
    limits,
    key: (caller) => caller,
  })),
});
await limiter.ready({ timeoutMs: 60_000 });
process.stdout.write("ready\n");
await once(process.stdin, "data");

const answers = await Promise.all(Array.from({ length: Number(attempts) }, () => limiter.admit(key)));
const shared = answers.every((answer) => answer.shared);
const admitted = answers.filter((answer) => answer.admitted).length;
process.stdout.write(`${JSON.stringify({ admitted, shared })}\n`);
process.stdin.destroy();
await store.close();
