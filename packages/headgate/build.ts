/**
 * Builds the package: `node packages/headgate/build.ts` writes `dist`.
 *
 * - `dist`: ES modules, one for each source file, with source maps.
 * - `dist/commonjs`: the same as CommonJS, in few files, and the declarations. Both forms share the declarations: a limiter
 *   of one form has the type that the other form expects. They are CommonJS because ES modules may import types from
 *   CommonJS, while older compilers do not allow the reverse.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build, transform } from "esbuild";

interface Target {
  readonly "headgate-source": string;
  readonly types: string;
}

const folder = fileURLToPath(new URL(".", import.meta.url));
const dist = path.join(folder, "dist");
const commonjs = path.join(dist, "commonjs");

const manifest: { exports: Record<string, Target | string> } = JSON.parse(
  readFileSync(path.join(folder, "package.json"), "utf8"),
);
const targets = Object.values(manifest.exports).filter((target) => typeof target === "object");

rmSync(dist, { recursive: true, force: true });
compile();
markModuleImports();
shareDeclarations();
await writeCommonJs();

function compile(): void {
  const compiler = createRequire(import.meta.url).resolve("typescript/package.json");
  const program = path.join(path.dirname(compiler), "bin/tsc");
  const configuration = path.join(folder, "tsconfig.build.json");
  const { status } = spawnSync(process.execPath, [program, "-p", configuration], { stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}

/**
 * These packages are ES modules. Declarations that are CommonJS may import their types only with this attribute, which is
 * written here because formatters do not accept it in sources yet.
 */
function markModuleImports(): void {
  const imported = /^import (?:type )?\{([^}]*)\} from ("(?:ai|hono|jose|@nestjs\/common)");$/gm;
  for (const name of readdirSync(commonjs, { recursive: true, encoding: "utf8" })) {
    if (!name.endsWith(".d.ts")) continue;
    const file = path.join(commonjs, name);
    const text = readFileSync(file, "utf8");
    const marked = text.replace(imported, (_, names: string, from: string) => {
      return `import type {${names.replaceAll(/\btype /g, "")}} from ${from} with { "resolution-mode": "import" };`;
    });
    if (marked !== text) writeFileSync(file, marked);
  }
}

/** Writes the declarations of the ES modules. Each declaration exports everything from the CommonJS declarations. */
function shareDeclarations(): void {
  for (const { types } of targets) {
    const file = path.join(folder, types);
    const shared = path.join(commonjs, path.relative(dist, file)).replace(/\.d\.ts$/, ".js");
    const specifier = path.relative(path.dirname(file), shared).split(path.sep).join("/");
    write(file, `export * from "${specifier.startsWith("..") ? "" : "./"}${specifier}";\n`);
  }
}

/**
 * Writes the CommonJS files. esbuild can share code between entries only in ES modules, so it bundles ES modules first
 * and then converts each of them.
 */
async function writeCommonJs(): Promise<void> {
  const common = { platform: "node", target: "node20" } as const;
  const { outputFiles } = await build({
    ...common,
    entryPoints: targets.map((target) => path.join(folder, target["headgate-source"])),
    outbase: path.join(folder, "src"),
    outdir: commonjs,
    chunkNames: "shared/[hash]",
    bundle: true,
    splitting: true,
    format: "esm",
    packages: "external",
    jsx: "automatic",
    write: false,
    logLevel: "warning",
  });
  for (const { path: file, text } of outputFiles) {
    // Replace import() with require(): Jest cannot import() without a flag.
    const { code } = await transform(text, {
      ...common,
      format: "cjs",
      supported: { "dynamic-import": false },
    });
    write(file, code);
  }
  write(path.join(commonjs, "package.json"), `${JSON.stringify({ type: "commonjs" })}\n`);
}

function write(file: string, text: string): void {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
}
