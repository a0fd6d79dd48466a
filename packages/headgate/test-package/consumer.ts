import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { inject } from "vitest";

const execute = promisify(execFile);
const headgateFolder = fileURLToPath(new URL("..", import.meta.url));

/** The folders in which npm may have installed the repository's packages, nearest first. */
const installedIn = [headgateFolder, path.join(headgateFolder, "../..")].map((folder) =>
  path.join(folder, "node_modules"),
);

/** The files that a subpath of the package resolves to: for `import`, and for `require`. */
interface Target {
  readonly "headgate-source": string;
  readonly types: string;
  readonly default: string;
  readonly require: { readonly types: string; readonly default: string };
}

/** A project outside of the repository that has installed the packed package. */
export interface Consumer {
  folder: string;
  /** The package's own manifest. */
  manifest: { exports: Record<string, Target | string>; peerDependencies: Record<string, string> };
  /** Everything that can be imported, such as `headgate/http`, except the manifest. */
  specifiers: string[];
}

/**
 * Makes a consumer of the packed package.
 *
 * @param name the name of a folder, different for each consumer.
 * @param packages other installed packages, taken from the repository. The consumer cannot find other packages.
 */
export async function makeConsumer(name: string, packages: readonly string[] = []): Promise<Consumer> {
  const folder = path.join(inject("workplace"), name);
  const modules = path.join(folder, "node_modules");
  await mkdir(modules, { recursive: true });
  await execute("tar", ["-xzf", inject("tarball"), "-C", modules]);
  await rename(path.join(modules, "package"), path.join(modules, "headgate"));
  for (const one of packages) {
    await mkdir(path.dirname(path.join(modules, one)), { recursive: true });
    await symlink(installed(one), path.join(modules, one), "dir");
  }
  await writeFile(path.join(folder, "package.json"), JSON.stringify({ name, type: "module", private: true }));
  const manifest = JSON.parse(await readFile(path.join(modules, "headgate/package.json"), "utf8"));
  const specifiers = Object.keys(manifest.exports)
    .filter((subpath) => subpath !== "./package.json")
    .map((subpath) => `headgate${subpath.slice(1)}`);
  return { folder, manifest, specifiers };
}

/** Returns the folder of a package that is installed in the repository. */
export function installed(name: string): string {
  const found = installedIn.map((folder) => path.join(folder, name)).find((folder) => existsSync(folder));
  if (!found) throw new Error(`${name} is not installed in the repository: npm install`);
  return found;
}

/** The output of a program, and how it ended. */
export interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs a program in a consumer's folder until it ends. */
export async function run(folder: string, program: string, words: readonly string[]): Promise<Outcome> {
  const { NODE_OPTIONS: _, ...env } = process.env;
  try {
    const { stdout, stderr } = await execute(program, words, { cwd: folder, env, maxBuffer: 2 ** 26 });
    return { code: 0, stdout, stderr };
  } catch (error) {
    // If a program cannot be started, it has no output, and `code` is the name of the error.
    const { code, stdout = "", stderr = `${error}` } = error as Partial<Outcome>;
    return { code: Number(code) || 1, stdout, stderr };
  }
}

/** A Node that is installed on this machine. */
export interface Node {
  version: string;
  program: string;
}

/**
 * Returns this Node, and every other Node in the path, such as the machine's own if the repository has a newer version.
 */
export async function nodesOfThisMachine(): Promise<Node[]> {
  const nodes = new Map([[process.version, process.execPath]]);
  for (const folder of (process.env.PATH ?? "").split(path.delimiter)) {
    const program = path.join(folder, process.platform === "win32" ? "node.exe" : "node");
    if (!existsSync(program)) continue;
    const { code, stdout } = await run(".", program, ["--version"]);
    const version = stdout.trim();
    if (code === 0 && !nodes.has(version)) nodes.set(version, program);
  }
  return [...nodes].map(([version, program]) => ({ version, program }));
}
