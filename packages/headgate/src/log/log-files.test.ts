import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { logFiles } from "./index.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "headgate-log-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const head = () => '{"head":true}\n';
const line = (n: number) => `{"n":${n},"padding":"${"x".repeat(980)}"}\n`;
const numbersIn = (where: string) =>
  readdirSync(where)
    .flatMap((name) => readFileSync(path.join(where, name), "utf8").split("\n").slice(0, -1))
    .flatMap((text) => (JSON.parse(text) as { n?: number }).n ?? [])
    .sort((a, b) => a - b);

describe("files of a log", () => {
  it("are created in a missing folder, readable only by their owner", async () => {
    const missing = path.join(folder, "a/b");
    const files = logFiles(missing);
    await files.write(line(1), head);
    await files.close?.();
    const [name = ""] = readdirSync(missing);
    expect(name).toMatch(/^decisions-[0-9a-f]{8}\.jsonl$/);
    expect(readFileSync(path.join(missing, name), "utf8")).toBe(head() + line(1));
    expect(statSync(path.join(missing, name)).mode & 0o777).toBe(0o600);
  });

  it("are rotated by size, each begins with a head, and the oldest are deleted", async () => {
    const files = logFiles(folder, { maxBytes: 10_000, maxFiles: 3 });
    for (let n = 0; n < 100; n += 1) await files.write(line(n), head);
    await files.close?.();
    const names = readdirSync(folder);
    expect(names).toHaveLength(3);
    for (const name of names) {
      const text = readFileSync(path.join(folder, name), "utf8");
      expect(text.startsWith(head())).toBe(true);
      expect(text.length).toBeLessThanOrEqual(10_000);
    }
    const kept = numbersIn(folder);
    expect(kept.at(-1)).toBe(99);
    expect(kept).toEqual(Array.from(kept, (_, i) => 100 - kept.length + i));
  });

  it("continue an existing file, even one that ends in the middle of a line", async () => {
    const file = path.join(folder, "log.jsonl");
    writeFileSync(file, '{"n":1}\n{"n":2,"cu');
    const files = logFiles(file);
    await files.write('{"n":3}\n', head);
    await files.close?.();
    expect(readFileSync(file, "utf8")).toBe('{"n":1}\n{"n":2,"cu\n{"n":3}\n');
  });

  it("are created again after the folder was removed", async () => {
    const inner = path.join(folder, "inner");
    const files = logFiles(inner);
    await files.write(line(1), head);
    rmSync(inner, { recursive: true });
    await files.write(line(2), head);
    await files.close?.();
    expect(numbersIn(inner)).toEqual([2]);
  });

  it("reject if nothing can be written, and accept the same lines later", async () => {
    const inTheWay = path.join(folder, "inner");
    writeFileSync(inTheWay, "");
    const files = logFiles(inTheWay);
    await expect(files.write(line(1), head)).rejects.toThrow(/EEXIST|ENOTDIR/);
    rmSync(inTheWay);
    await files.write(line(1), head);
    await files.close?.();
    expect(numbersIn(inTheWay)).toEqual([1]);
  });

  it.each([
    ["", {}, /takes the path of a folder/],
    ["x", { maxBytes: 1 }, /maxBytes .* 10000 .*1/],
    ["x", { maxFiles: 1 }, /maxFiles .* 2 .*1/],
    ["x", { maxFile: 1 }, /no option "maxFile": did you mean "maxFiles"/],
  ])("throw for %j with %j", (where, options, message) => {
    expect(() => logFiles(where, options as object)).toThrow(message);
  });
});
