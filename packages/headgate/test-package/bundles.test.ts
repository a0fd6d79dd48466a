import { writeFile } from "node:fs/promises";
import path from "node:path";
import { createContext, Script } from "node:vm";
import { type BuildOptions, build } from "esbuild";
import { beforeAll, describe, expect, it } from "vitest";
import { type Consumer, installed, makeConsumer, run } from "./consumer.ts";

let consumer: Consumer;
beforeAll(async () => {
  consumer = await makeConsumer("bundled", ["react", "react-dom", "scheduler"]);
});

async function bundle(contents: string, options: BuildOptions): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: consumer.folder },
    bundle: true,
    write: false,
    logLevel: "silent",
    ...options,
  });
  return outputFiles?.[0]?.text ?? "";
}

const common = [
  "AbortController",
  "AbortSignal",
  "Headers",
  "ReadableStream",
  "Request",
  "Response",
  "TextDecoder",
  "TextEncoder",
  "URL",
  "URLSearchParams",
  "clearTimeout",
  "console",
  "crypto",
  "fetch",
  "performance",
  "queueMicrotask",
  "setTimeout",
] as const;

/** Runs a script with only the globals that browsers and workers have in common, and none of Node.js. */
async function runInWorker(script: string): Promise<unknown> {
  const web = Object.fromEntries(common.map((name) => [name, globalThis[name]]));
  return new Script(`${script}\nbundle.default;`).runInContext(createContext(web));
}

const worker: BuildOptions = { platform: "neutral", format: "iife", globalName: "bundle" };

describe("a bundle for a worker", () => {
  it.each([
    "headgate",
    "headgate/redis",
    "headgate/postgres",
    "headgate/durable-object",
    "headgate/identity",
    "headgate/http",
    "headgate/fetch",
    "headgate/hono",
    "headgate/next",
    "headgate/client",
  ])("%s needs no Node.js module and no peer dependency", async (specifier) => {
    const script = await bundle(
      `import * as all from "${specifier}"; export default Object.keys(all);`,
      worker,
    );
    expect(await runInWorker(script)).not.toHaveLength(0);
  });

  it("a guarded handler with counts in memory admits and refuses", async () => {
    const script = await bundle(
      `import { createLimiter } from "headgate";
      import { rateLimit } from "headgate/fetch";
      const limiter = createLimiter({ name: "chat", layers: [{ name: "user", key: () => "ada", limits: "1/minute" }] });
      const guarded = rateLimit(limiter, { caller: () => ({}) })(() => new Response("fine"));
      const ask = () => guarded(new Request("https://chat.example/"));
      export default (async () => [(await ask()).status, (await ask()).status])();`,
      worker,
    );
    expect(await runInWorker(script)).toEqual([200, 429]);
  });
});

describe("a bundle that is split at dynamic imports", () => {
  it("loads no code for Redis or PostgreSQL before a URI needs it", async () => {
    const { outputFiles = [] } = await build({
      stdin: {
        contents: `export { createLimiter } from "headgate"; export { rateLimit } from "headgate/fetch";`,
        resolveDir: consumer.folder,
      },
      bundle: true,
      write: false,
      logLevel: "silent",
      splitting: true,
      format: "esm",
      platform: "neutral",
      outdir: path.join(consumer.folder, "split"),
    });
    const chunks = new Map(outputFiles.map((file) => [path.basename(file.path), file.text]));
    const first = loadedWith("stdin.js", chunks);
    expect([...chunks.values()].some((text) => mentionsStores(text))).toBe(true);
    expect([...first].filter((name) => mentionsStores(chunks.get(name) ?? ""))).toEqual([]);
  });
});

/** Returns a chunk, and every chunk that it imports before it runs. */
function loadedWith(
  name: string,
  chunks: ReadonlyMap<string, string>,
  loaded = new Set<string>(),
): Set<string> {
  if (loaded.has(name)) return loaded;
  loaded.add(name);
  const imports = (chunks.get(name) ?? "").matchAll(/(?:from|^import) *"\.\/([^"]+)"/gm);
  for (const [, imported = ""] of imports) loadedWith(imported, chunks, loaded);
  return loaded;
}

function mentionsStores(text: string): boolean {
  return /redis\.call|plpgsql/.test(text);
}

describe("a bundle for a page", () => {
  const page = `
    import { createClient } from "headgate/client";
    import { QuotaMeter, RateLimitNotice, useRateLimit } from "headgate/react";
    globalThis.loaded = [createClient({ share: false }), QuotaMeter, RateLimitNotice, useRateLimit].map(Boolean);`;

  it("can be made by esbuild", async () => {
    const script = await bundle(page, { platform: "browser", format: "iife" });
    expect(script).toContain("RateLimitedError");
    expect(script).not.toMatch(/node:|\brequire\("/);
  });

  it("can be made by Vite", async () => {
    const vite = path.join(installed("vite"), "bin/vite.js");
    await writeFile(
      path.join(consumer.folder, "index.html"),
      '<script type="module" src="/page.js"></script>',
    );
    await writeFile(path.join(consumer.folder, "page.js"), page);
    const outcome = await run(consumer.folder, process.execPath, [vite, "build", "--logLevel", "warn"]);
    expect(outcome).toEqual({ code: 0, stdout: "", stderr: "" });
  });

  it("leaves out code that a page does not use", async () => {
    const script = await bundle(`export { shortWait } from "headgate/react";`, {
      platform: "browser",
      format: "esm",
      external: ["react", "react/jsx-runtime"],
      minify: true,
    });
    expect(script).not.toContain("RateLimit");
    expect(script.length).toBeLessThan(1000);
  });
});
