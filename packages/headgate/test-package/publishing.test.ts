import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import path from "node:path";
import { beforeAll, describe, expect, inject, it } from "vitest";
import { type Consumer, installed, makeConsumer, run } from "./consumer.ts";
import { packIn } from "./packing.ts";

let consumer: Consumer;
let packed: string;
beforeAll(async () => {
  consumer = await makeConsumer("published");
  packed = path.join(consumer.folder, "node_modules/headgate");
});

describe("the packed package", () => {
  it("contains every file that its manifest names", () => {
    for (const [subpath, target] of Object.entries(consumer.manifest.exports)) {
      for (const file of filesIn(target))
        expect(existsSync(path.join(packed, file)), `${subpath}: ${file}`).toBe(true);
    }
    for (const file of ["README.md", "LICENSE"]) expect(existsSync(path.join(packed, file)), file).toBe(true);
  });

  it("contains no tests, and no files for the repository only", async () => {
    const files = await readdir(packed, { recursive: true });
    expect(files.filter((file) => /\.test\b|test-servers|test-package|tsconfig/.test(file))).toEqual([]);
    expect(new Set(files.map((file) => file.split(path.sep)[0]))).toEqual(
      new Set(["LICENSE", "README.md", "dist", "package.json", "src"]),
    );
  });

  it("contains the source of all its code, for debuggers", async () => {
    const files = await readdir(path.join(packed, "dist"), { recursive: true });
    const scripts = files.filter((file) => file.endsWith(".js") && !file.startsWith("commonjs"));
    expect(scripts.length).toBeGreaterThan(50);
    for (const script of scripts) {
      const source = path.join(packed, "src", script.slice(0, -".js".length));
      expect(existsSync(`${source}.ts`) || existsSync(`${source}.tsx`), script).toBe(true);
    }
  });

  it("has few CommonJS files", async () => {
    const files = await readdir(path.join(packed, "dist/commonjs"), { recursive: true });
    expect(files.filter((file) => file.endsWith(".js")).length).toBeLessThan(80);
  });
});

function filesIn(target: string | object): string[] {
  return typeof target === "string" ? [target] : Object.values(target).flatMap(filesIn);
}

describe.each([
  // Every `moduleResolution`.
  { name: "headgate", profile: "strict" },
  { name: "headgate-server", profile: "esm-only" },
  { name: "headgate-console", profile: "esm-only" },
] as const)("$name", ({ name, profile }) => {
  let tarball: string;
  beforeAll(async () => {
    tarball = name === "headgate" ? inject("tarball") : await packIn(inject("unbuilt"), name);
  });

  it("passes publint", async () => {
    const publint = path.join(installed("publint"), "src/cli.js");
    const outcome = await run(consumer.folder, process.execPath, [publint, "run", tarball, "--strict"]);
    expect(outcome, outcome.stdout).toMatchObject({ code: 0 });
  });

  it("has types that match the loaded modules (attw)", async () => {
    const attw = path.join(installed("@arethetypeswrong/cli"), "dist/index.js");
    const words = [attw, tarball, "--profile", profile, "--format", "ascii", "--no-color"];
    const outcome = await run(consumer.folder, process.execPath, words);
    expect(outcome, outcome.stdout).toMatchObject({ code: 0 });
  });

  it("was built when it was packed", async () => {
    const { stdout } = await run(consumer.folder, "tar", ["-tzf", tarball]);
    expect(stdout.split("\n")).toEqual(
      expect.arrayContaining(["package/dist/index.js", "package/dist/index.d.ts"]),
    );
  });
});
