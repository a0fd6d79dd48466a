import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { readExamples } from "./examples.ts";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../..", import.meta.url));

/** Sends six messages to the endpoint of the page, one after the other. */
const sendingSix = `
import { scriptedModel } from "@headgate/test-servers/scripted-model.ts";
const messages: UIMessage[] = [{ id: "1", role: "user", parts: [{ type: "text", text: "When is high tide?" }] }];
for (let n = 0; n < 6; n += 1) {
  const response = await chat("ada", messages, scriptedModel({ says: ["At ", "nine."] }));
  console.log(JSON.stringify({ status: response.status, text: await response.text() }));
}
`;

it("the first example of docs/ai.md is short, and guards, meters and binds an answer", async () => {
  const page = await readFile(new URL("../../docs/ai.md", import.meta.url), "utf8");
  const [first] = readExamples("docs/ai.md", page);
  const code = first?.code ?? "";
  expect(code.split("\n").filter((line) => line.trim() !== "").length).toBeLessThanOrEqual(25);
  const { stdout } = await run(
    process.execPath,
    [
      "--conditions=headgate-source",
      "--no-warnings",
      "--input-type=module-typescript",
      "--eval",
      code + sendingSix,
    ],
    { cwd: root, timeout: 30_000 },
  );
  const answers: { status: number; text: string }[] = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 429]);
  // Each answer used 40 tokens of input and 2 of output.
  for (const [n, { text }] of answers.slice(0, 5).entries()) {
    expect(text).toContain('"used":{"input":40,"cacheRead":0,"cacheWrite":0,"output":2,"reasoning":0}');
    expect(text).toContain(
      `"quota":100000,"unit":"tokens","windowSeconds":86400,"remaining":${100_000 - 42 * (n + 1)},`,
    );
  }
  // The places are free again: otherwise the third message would have been refused.
}, 40_000);
