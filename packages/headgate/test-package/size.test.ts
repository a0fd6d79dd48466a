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
