import { type StdioOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, open, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";

const writes = (lines: number) => `
  import { createLog } from ${JSON.stringify(new URL("./log.ts", import.meta.url).href)};
  const log = createLog({ base: null, timestamp: false });
  for (let n = 0; n < ${lines}; n += 1) log.info({ n, text: "x".repeat(1_000) }, "line");
  setTimeout(() => process.exit(3), 50);
`;

function start(lines: number, stdio: StdioOptions = ["ignore", "pipe", "inherit"]) {
  return spawn(process.execPath, ["--input-type=module-typescript", "--eval", writes(lines)], { stdio });
}

test("a process can end even if nobody reads its log", async () => {
  const child = start(2_000);
  // Write more than a pipe can hold, without reading it.
  const [code] = await once(child, "exit");
  expect(code).toBe(3);
}, 30_000);

test("remaining lines are written at the end if somebody reads", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "headgate-log-"));
  const file = await open(path.join(folder, "log"), "w");
  // A separate process reads, because this process may be too busy to read in time.
  const reader = spawn("cat", { stdio: ["pipe", file.fd, "inherit"] });
  const child = start(200, ["ignore", reader.stdin, "inherit"]);
  const [code] = await once(child, "exit");
  expect(code).toBe(3);
  reader.stdin?.end();
  await once(reader, "exit");
  await file.close();
  const lines = (await readFile(path.join(folder, "log"), "utf8")).trimEnd().split("\n");
  expect(lines.map((line) => JSON.parse(line).n)).toEqual(Array.from({ length: 200 }, (_, n) => n));
  await rm(folder, { recursive: true });
}, 30_000);
