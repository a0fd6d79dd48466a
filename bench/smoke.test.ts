import { spawn } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import type { Machine } from "./report/machine.ts";
import { markdownOf } from "./report/markdown.ts";
import { plotOf } from "./report/plot.ts";
import type { SectionResult } from "./report/result.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Where Node keeps compiled code: a run starts some 100 processes, which load the same modules from sources. */
const cache = path.join(root, "node_modules/.cache/headgate/compiled-bench");

/**
 * The sections that take only seconds. "chat" and "start" are left out, because the end-to-end tests start
 * the same processes.
 */
const sections = ["memory", "bytes", "redis", "postgres", "http", "growth", "estimate", "flood", "operator"];

function bench(...words: string[]): Promise<{ code: number | null; output: string; errors: string }> {
  const child = spawn(
    path.join(root, "node_modules/.bin/node"),
    ["--conditions=headgate-source", "bench/main.ts", ...words],
    { cwd: root, env: { ...process.env, NODE_COMPILE_CACHE: cache }, stdio: ["ignore", "pipe", "pipe"] },
  );
  let output = "";
  let errors = "";
  child.stdout.on("data", (chunk) => {
    output += chunk;
  });
  child.stderr.on("data", (chunk) => {
    errors += chunk;
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, output, errors }));
  });
}

it("measures all contenders, and writes a report", { timeout: 300_000 }, async () => {
  const { code, output, errors } = await bench("--quick", "--json", ...sections);
  expect(code, errors).toBe(0);
  const { machine, sections: results }: { machine: Machine; sections: SectionResult[] } = JSON.parse(output);
  expect(results.map(({ name }) => name)).toEqual(sections);

  for (const { name, tables, targets } of results) {
    expect(targets.length, name).toBeGreaterThan(0);
    for (const table of tables) {
      const figures = table.rows.flatMap((row) => row.figures).filter((figure) => figure !== null);
      expect(figures.length, table.title).toBeGreaterThan(0);
      for (const { median } of figures) expect(median, table.title).toSatisfy(Number.isFinite);
      for (const { label } of table.rows) expect(plotOf(table)).toContain(label);
    }
  }

  const report = markdownOf(
    results.map((result) => ({ day: "2026-11-24", machine, result })),
    ({ id }) => `plots/${id}.svg`,
  );
  for (const { title } of results) expect(report).toContain(`## ${title}`);
  expect(report).toContain("plots/memory-admitted.svg");
  expect(report).not.toMatch(/undefined|NaN/);
});

it("lists the sections", async () => {
  const { code, errors } = await bench("memory", "nothing");
  expect(code).toBe(2);
  expect(errors).toMatch(/no section "nothing".+\[memory\] \[bytes\] \[redis\]/s);
});
