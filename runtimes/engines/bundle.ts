import { readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const RUNTIMES = fileURLToPath(new URL("..", import.meta.url));

/** What the library asks for only when a URI does, and not every user has. */
const PEERS = Object.keys(
  JSON.parse(readFileSync(new URL("../../packages/headgate/package.json", import.meta.url), "utf8"))
    .peerDependencies,
);

/**
 * A program and all that it imports in one module, as wrangler and others bundle it: from the package as it is built.
 *
 * @param program its file, relative to this workspace
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
    // What an example imports and only this workspace has.
    nodePaths: [path.join(RUNTIMES, "node_modules")],
    external: ["node:*", "cloudflare:*", ...PEERS],
    // The paths in tsconfig.json are those of types.
    tsconfigRaw: {},
    logLevel: "silent",
  });
  const [script] = outputFiles;
  if (script === undefined) throw new Error(`esbuild made nothing of ${program}.`);
  return script.text;
}
