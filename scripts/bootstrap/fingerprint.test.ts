import { mkdirSync, mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fingerprint } from "./fingerprint.mjs";

let root: string;
const inputs = ["src", "package.json"];
const isInput = (file: string) => !file.endsWith(".test.ts");
const take = () => fingerprint(root, inputs, isInput);
const write = (file: string, text: string) => writeFileSync(path.join(root, file), text);

beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), "headgate-fingerprint-"));
  mkdirSync(path.join(root, "src"));
  write("src/a.ts", "a");
  write("src/b.ts", "b");
  write("package.json", "{}");
});
afterEach(() => rmSync(root, { recursive: true }));

describe("a fingerprint", () => {
  it.each<[string, () => void]>([
    ["a file was changed", () => write("src/a.ts", "A")],
    ["a file was added", () => write("src/c.ts", "")],
    ["a file was removed", () => rmSync(path.join(root, "src/b.ts"))],
    ["a file was renamed", () => renameSync(path.join(root, "src/b.ts"), path.join(root, "src/z.ts"))],
    [
      "text was moved from one file to the next",
      () => {
        write("src/a.ts", "");
        write("src/b.ts", "ab");
      },
    ],
    ["a single input was changed", () => write("package.json", "{ }")],
  ])("differs when %s", (_, change) => {
    const before = take();
    change();
    expect(take()).not.toBe(before);
  });

  it.each<[string, () => void]>([
    ["a file was only touched", () => utimesSync(path.join(root, "src/a.ts"), 1, 1)],
    ["an excluded file was changed", () => write("src/a.test.ts", "")],
    ["a file outside the inputs was changed", () => write("README.md", "")],
  ])("stays the same when %s", (_, change) => {
    const before = take();
    change();
    expect(take()).toBe(before);
  });
});
