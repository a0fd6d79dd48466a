import { execFile } from "node:child_process";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    /** The package as `npm publish` would send it. */
    tarball: string;
    /** A folder of its own for everything that consumers of the package need. */
    workplace: string;
  }
}

const packageFolder = fileURLToPath(new URL("..", import.meta.url));
const repository = path.join(packageFolder, "../..");
const execute = promisify(execFile);

/**
 * Builds the library from its sources as they are now, and packs it, once for all tests: what is tested is what would be
 * published, however old the build in the repository is.
 *
 * @throws what the compiler or npm said.
 */
export default async function packPackage(project: TestProject): Promise<() => Promise<void>> {
  const workplace = await mkdtemp(path.join(tmpdir(), "headgate-package-"));
  const remove = () => rm(workplace, { recursive: true, force: true });
  try {
    const staged = path.join(workplace, "staged");
    await cp(packageFolder, staged, {
      recursive: true,
      filter: (from) => !/^(node_modules|dist)$/.test(path.relative(packageFolder, from)),
    });
    const compiler = path.join(repository, "node_modules/typescript/bin/tsc");
    const configuration = path.join(packageFolder, "tsconfig.build.json");
    const build = [compiler, "-p", configuration, "--outDir", path.join(staged, "dist")];
    await execute(process.execPath, build).catch(sayAll);
    const pack = ["pack", "--json", "--ignore-scripts", "--pack-destination", workplace];
    const { stdout } = await execute("npm", pack, { cwd: staged }).catch(sayAll);
    const [packed] = JSON.parse(stdout) as { filename: string }[];
    if (!packed) throw new Error(`npm pack names no file: ${stdout}`);
    await rm(staged, { recursive: true });
    project.provide("tarball", path.join(workplace, packed.filename));
    project.provide("workplace", workplace);
  } catch (error) {
    await remove();
    throw error;
  }
  return remove;
}

/** Compilers write what is wrong to their standard output, which the error of a process leaves out. */
function sayAll(error: Error & { stdout?: string; stderr?: string }): never {
  throw new Error([error.message, error.stdout, error.stderr].filter(Boolean).join("\n"));
}
