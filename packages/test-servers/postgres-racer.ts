import { amountsOf } from "../headgate/src/core/cost.ts";
import { compileLimits } from "../headgate/src/core/limit-set.ts";
import { postgresStore } from "../headgate/src/stores/postgres/index.ts";

/**
 * One of several processes that race for the same quota. It prints `ready` once it is connected, starts when anything
 * arrives on its standard input, and prints how many of its requests were admitted.
 *
 * Arguments: the server's URL, the limits, the number of requests.
 */
const [url = "", text = "", attempts = "0"] = process.argv.slice(2);
const store = postgresStore(url);
const limits = compileLimits("race", text);
const amounts = amountsOf(limits, { tokens: 1 });
const charges = ["race", "race2"].map((space) => ({ space, key: "one", limits, ...amounts }));
let asked = 0;

async function attempt(): Promise<boolean> {
  asked += 1;
  const rid = process.pid.toString(16).padStart(12, "0") + asked.toString(16).padStart(12, "0");
  const hold = amounts.holds === undefined ? undefined : { rid, seq: 1 };
  return (await store.decide(charges, Date.now(), false, hold)).admitted;
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
