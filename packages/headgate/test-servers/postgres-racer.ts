import { compileLimits } from "../src/core/limit-set.ts";
import { postgresStore } from "../src/stores/postgres/index.ts";

/**
 * One of several processes that race for the same quota. Says `ready` once it is connected, begins when anything
 * arrives on its standard input, and says how many of its requests were admitted.
 *
 * Arguments: the server's URL, the limits, how many requests.
 */
const [url = "", text = "", attempts = "0"] = process.argv.slice(2);
const store = postgresStore(url);
const limits = compileLimits("race", text);
const needs = limits.groups.map(() => 1);

async function attempt(): Promise<boolean> {
  const charges = ["race", "race2"].map((space) => ({ space, key: "one", limits, needs, spends: needs }));
  return (await store.decide(charges, Date.now(), false)).admitted;
}

await store.check();
process.stdout.write("ready\n");
await new Promise((resolve) => process.stdin.once("data", resolve));
let admitted = 0;
let left = Number(attempts);
async function run(): Promise<void> {
  while (left > 0) {
    left -= 1;
    if (await attempt()) admitted += 1;
  }
}
await Promise.all(Array.from({ length: 16 }, run));
process.stdout.write(`${admitted}\n`);
await store.close();
process.stdin.destroy();
