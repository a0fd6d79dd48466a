import { readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const RUNTIMES = fileURLToPath(new URL("..", import.meta.url));

/** Optional peers, which the library imports only if a URI needs them. */
const PEERS = Object.keys(
  JSON.parse(readFileSync(new URL("../../packages/headgate/package.json", import.meta.url), "utf8"))
    .peerDependencies,
);

/**
 * Bundles a program and its imports into one module, as wrangler and others do. It uses the built package.
 *
 * @param program the program's file, relative to this workspace
 */
export async function bundle(program: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [path.join(RUNTIMES, program)],
    bundle: true,
    write: false,
    format: "esm",
    platform: "neutral",
    target: "es2022",
    conditions: ["workerd", "worker", "browser"],
    mainFields: ["module", "main"],
    // For packages that an example imports and that are only in this workspace.
    nodePaths: [path.join(RUNTIMES, "node_modules")],
    external: ["node:*", "cloudflare:*", ...PEERS],
    // Ignore tsconfig.json, whose paths lead to types.
    tsconfigRaw: {},
    logLevel: "silent",
  });
  const [script] = outputFiles;
  if (script === undefined) throw new Error(`esbuild wrote no output for ${program}.`);
  return script.text;
}
