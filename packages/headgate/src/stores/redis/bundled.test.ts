import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { startRedis } from "@headgate/test-servers/redis.ts";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const entry = `
  import { createLimiter } from "headgate";
  const limiter = createLimiter({
    name: "chat",
    layers: [{ name: "user", key: (user) => user, limits: "1/minute" }],
    store: process.env.STORE,
  });
  await limiter.ready();
  const answers = [await limiter.admit("ann"), await limiter.admit("ann")];
  console.log(answers.map(({ admitted, decidedBy }) => admitted + " by " + decidedBy).join(", "));
  await limiter.close();
`;

describe("a program that is bundled with its driver", () => {
  let folder: string;
  let server: Awaited<ReturnType<typeof startRedis>>;

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), "headgate-bundled-"));
    server = await startRedis();
    await build({
      stdin: { contents: entry, resolveDir: fileURLToPath(new URL(".", import.meta.url)) },
      outdir: folder,
      entryNames: "program",
      outExtension: { ".js": ".mjs" },
      bundle: true,
      // Code that is imported later then stays in a separate file. If it is CommonJS, its named exports are missing.
      splitting: true,
      platform: "node",
      format: "esm",
      conditions: ["headgate-source"],
      // Loaded only for a database: not bundled here.
      external: ["pg", "pg-native", "postgres", "@electric-sql/pglite"],
      banner: {
        js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
      },
      logLevel: "error",
    });
  });

  afterAll(async () => {
    await server.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  it.each(["redis", "valkey"])("decides over %s://", async (scheme) => {
    server.command("flushall");
    const { stdout } = await promisify(execFile)(process.execPath, [path.join(folder, "program.mjs")], {
      env: { STORE: server.url.replace(/^redis/, scheme) },
    });
    expect(stdout).toBe("true by store, false by store\n");
  });
});
