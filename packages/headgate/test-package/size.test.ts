import { readFileSync } from "node:fs";
import path from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { build } from "esbuild";
import { beforeAll, expect, it } from "vitest";
import { type Consumer, makeConsumer } from "./consumer.ts";

let consumer: Consumer;
beforeAll(async () => {
  consumer = await makeConsumer("sized", ["react"]);
});

const client = `export * from "headgate/client";`;
const budgets = [
  { page: "the client", source: client, gzipBytes: 2600, brotliBytes: 2340 },
  {
    page: "the client and the notice",
    source: `${client} export { RateLimitNotice } from "headgate/react";`,
    gzipBytes: 3990,
    brotliBytes: 3590,
  },
  {
    page: "the client and all of headgate/react",
    source: `${client} export * from "headgate/react";`,
    gzipBytes: 4570,
    brotliBytes: 4120,
  },
];

/** What a bundler would send to a browser, without React, which the page already has. */
async function bundle(source: string): Promise<Uint8Array> {
  const { outputFiles } = await build({
    stdin: { contents: source, resolveDir: consumer.folder },
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser",
    external: ["react", "react/jsx-runtime"],
    outdir: path.join(consumer.folder, "out"),
    write: false,
  });
  const [script] = outputFiles;
  if (!script) throw new Error("esbuild made nothing");
  return script.contents;
}

it.each(budgets)("$page: at most $gzipBytes B with gzip, $brotliBytes B with Brotli", async (budget) => {
  const script = await bundle(budget.source);
  expect(gzipSync(script, { level: 9 }).length).toBeLessThanOrEqual(budget.gzipBytes);
  expect(brotliCompressSync(script).length).toBeLessThanOrEqual(budget.brotliBytes);
});

const docs = readFileSync(new URL("../../../docs/installing.md", import.meta.url), "utf8");
const guard = `export { createLimiter } from "headgate"; export { rateLimit } from "headgate/fetch";`;
const workers = [
  { row: "`headgate` and `headgate/fetch`", source: guard },
  {
    row: "both and `headgate/durable-object`",
    source: `${guard} export { durableObjectStore, LimiterObject } from "headgate/durable-object";`,
  },
  { row: "both and `headgate/redis`", source: `${guard} export { redisStore } from "headgate/redis";` },
  {
    row: "both and `headgate/postgres`",
    source: `${guard} export { postgresStore } from "headgate/postgres";`,
  },
];

/** The bytes, with gzip, of what a Worker loads before it handles a request. */
async function bytesForWorker(source: string, splitting: boolean): Promise<number> {
  const { outputFiles, metafile } = await build({
    stdin: { contents: source, resolveDir: consumer.folder },
    bundle: true,
    minify: true,
    splitting,
    metafile: true,
    format: "esm",
    platform: "neutral",
    logLevel: "silent",
    absWorkingDir: consumer.folder,
    outdir: path.join(consumer.folder, "out"),
    write: false,
  });
  const loaded = new Set<string>();
  (function load(output: string): void {
    if (loaded.has(output)) return;
    loaded.add(output);
    for (const { path: imported, kind } of metafile.outputs[output]?.imports ?? []) {
      if (kind === "import-statement") load(imported);
    }
  })("out/stdin.js");
  const files = outputFiles.filter((file) => loaded.has(path.relative(consumer.folder, file.path)));
  return files.reduce((sum, { contents }) => sum + gzipSync(contents, { level: 9 }).length, 0);
}

it.each(workers)("the docs say how large a bundle for a Worker is: $row", async ({ row, source }) => {
  const [, split, single] = docs.split(`| ${row} |`)[1]?.match(/^ (\d+) kB \| (\d+) kB \|/) ?? [];
  for (const [said, splitting] of [
    [split, true],
    [single, false],
  ] as const) {
    const measured = (await bytesForWorker(source, splitting)) / 1000;
    expect([Math.abs(Number(said) - measured) < 1.5, said, measured]).toEqual([true, said, measured]);
  }
});
