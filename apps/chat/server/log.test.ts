import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";

const writes = (lines: number) => `
  import { createLog } from ${JSON.stringify(new URL("./log.ts", import.meta.url).href)};
  const log = createLog({ base: null, timestamp: false });
  for (let n = 0; n < ${lines}; n += 1) log.info({ n, text: "x".repeat(1_000) }, "line");
  setTimeout(() => process.exit(3), 50);
`;

function start(lines: number) {
  return spawn(process.execPath, ["--input-type=module-typescript", "--eval", writes(lines)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
}

test("a process can end even if nobody reads its log", async () => {
  const child = start(2_000);
  // Write more than a pipe can hold, without reading it.
  const [code] = await once(child, "exit");
  expect(code).toBe(3);
}, 30_000);

test("remaining lines are written at the end if somebody reads", async () => {
  const child = start(200);
  let text = "";
  child.stdout.on("data", (chunk) => {
    text += chunk;
  });
  const [code] = await once(child, "close");
  expect(code).toBe(3);
  const lines = text.trimEnd().split("\n");
  expect(lines.map((line) => JSON.parse(line).n)).toEqual(Array.from({ length: 200 }, (_, n) => n));
}, 30_000);
