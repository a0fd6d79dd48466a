import { expect, it } from "vitest";
import { commandsOf, type UpstashClient } from "./commands.ts";

/** Like `@upstash/redis`, which reports the server's error with the command: its arguments contain callers' names. */
function answering(message: string): UpstashClient {
  const call = () => Promise.reject(new Error(message));
  return { evalsha: call, eval: call, createScript() {} };
}

it.each([
  [
    'NOSCRIPT No matching script., command was: ["evalsha","abc","1","headgate:user:ada"]',
    "NOSCRIPT No matching script.",
  ],
  ["Command failed: OOM command not allowed", "OOM command not allowed"],
  ["Network connection lost.", "Network connection lost."],
])("leaves the command out of %j", async (message, left) => {
  const { cluster, evalsha, evaluate, isDown } = commandsOf(answering(message));
  expect([cluster, isDown()]).toEqual([false, false]);
  await expect(evalsha("abc", ["headgate:user:ada"], "1")).rejects.toThrow(new Error(left));
  await expect(evaluate("return 1", ["headgate:user:ada"], "1")).rejects.toThrow(new Error(left));
});
