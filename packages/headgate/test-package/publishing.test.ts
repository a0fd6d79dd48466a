import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import path from "node:path";
import { beforeAll, describe, expect, inject, it } from "vitest";
import { type Consumer, installed, makeConsumer, run } from "./consumer.ts";

let consumer: Consumer;
let packed: string;
beforeAll(async () => {
  consumer = await makeConsumer("published");
  packed = path.join(consumer.folder, "node_modules/headgate");
});

describe("the packed package", () => {
  it("holds what its manifest promises", () => {
    for (const [subpath, conditions] of Object.entries(consumer.manifest.exports)) {
      for (const file of typeof conditions === "string" ? [conditions] : Object.values(conditions))
        expect(existsSync(path.join(packed, file)), `${subpath}: ${file}`).toBe(true);
    }
    for (const file of ["README.md", "LICENSE"]) expect(existsSync(path.join(packed, file)), file).toBe(true);
  });

  it("holds no tests, and nothing that belongs to the repository alone", async () => {
    const files = await readdir(packed, { recursive: true });
    expect(files.filter((file) => /\.test\b|test-servers|test-package|tsconfig/.test(file))).toEqual([]);
    expect(new Set(files.map((file) => file.split(path.sep)[0]))).toEqual(
      new Set(["LICENSE", "README.md", "dist", "package.json", "src"]),
    );
  });

  it("has the source of everything that it runs, for debuggers", async () => {
    const files = await readdir(path.join(packed, "dist"), { recursive: true });
    const scripts = files.filter((file) => file.endsWith(".js"));
    expect(scripts.length).toBeGreaterThan(50);
    for (const script of scripts) {
      const source = path.join(packed, "src", script.slice(0, -".js".length));
      expect(existsSync(`${source}.ts`) || existsSync(`${source}.tsx`), script).toBe(true);
    }
  });

  it("pleases publint", async () => {
    const publint = path.join(installed("publint"), "src/cli.js");
    const outcome = await run(consumer.folder, process.execPath, [
      publint,
      "run",
      inject("tarball"),
      "--strict",
    ]);
    expect(outcome, outcome.stdout).toMatchObject({ code: 0 });
  });

  it("has types that agree with what is loaded (attw)", async () => {
    const attw = path.join(installed("@arethetypeswrong/cli"), "dist/index.js");
    // CommonJS gets the same modules by require(), which this profile leaves out and node.test.ts tries.
    const words = [attw, inject("tarball"), "--profile", "esm-only", "--format", "ascii", "--no-color"];
    const outcome = await run(consumer.folder, process.execPath, words);
    expect(outcome, outcome.stdout).toMatchObject({ code: 0 });
  });
});
