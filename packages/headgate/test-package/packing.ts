import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    /** The package, packed as `npm publish` would send it. */
    tarball: string;
    /** A copy of the repository in which only the package is built. */
    unbuilt: string;
    /** A separate folder for everything that consumers of the package need. */
    workplace: string;
  }
}

const repository = fileURLToPath(new URL("../../..", import.meta.url));
const packages = ["headgate", "headgate-server", "headgate-console"] as const;
const execute = promisify(execFile);

/**
 * Packs the package once for all tests, in a copy of the repository where nothing is built. The tests then use the
 * files that would be published, and packing must build them.
 *
 * @throws the output of the compiler or npm.
 */
export default async function packPackage(project: TestProject): Promise<() => Promise<void>> {
  const workplace = await mkdtemp(path.join(tmpdir(), "headgate-package-"));
  const remove = () => rm(workplace, { recursive: true, force: true });
  try {
    const unbuilt = path.join(workplace, "unbuilt");
    await copyUnbuilt(unbuilt);
    project.provide("tarball", await packIn(unbuilt, "headgate"));
    project.provide("unbuilt", unbuilt);
    project.provide("workplace", workplace);
  } catch (error) {
    await remove();
    throw error;
  }
  return remove;
}

/**
 * Copies the packages and the scripts that build them. Installed packages are links; links to the repository's own
 * packages lead to the copy.
 */
async function copyUnbuilt(unbuilt: string): Promise<void> {
  await mkdir(path.join(unbuilt, "node_modules"), { recursive: true });
  await cp(path.join(repository, "tsconfig.base.json"), path.join(unbuilt, "tsconfig.base.json"));
  for (const name of packages) {
    const from = path.join(repository, "packages", name);
    const to = path.join(unbuilt, "packages", name);
    const isSource = (file: string) => !/^(node_modules|dist)$/.test(path.relative(from, file));
    await cp(from, to, { recursive: true, filter: isSource });
    await symlink(to, path.join(unbuilt, "node_modules", name), "dir");
    await linkEach(path.join(from, "node_modules"), path.join(to, "node_modules"));
  }
  await linkEach(path.join(repository, "node_modules"), path.join(unbuilt, "node_modules"));
}

async function linkEach(from: string, to: string): Promise<void> {
  const installed = await readdir(from).catch(() => []);
  await mkdir(to, { recursive: true });
  const theirs = installed.filter((name) => !packages.some((own) => own === name));
  await Promise.all(theirs.map((name) => symlink(path.join(from, name), path.join(to, name))));
}

/** Runs `npm pack` for one of the packages, which builds it. Returns the packed file. */
export async function packIn(unbuilt: string, name: (typeof packages)[number]): Promise<string> {
  const cwd = path.join(unbuilt, "packages", name);
  const words = ["pack", "--silent", "--pack-destination", unbuilt];
  const { stdout } = await execute("npm", words, { cwd }).catch(sayAll);
  const packed = stdout.trim().split("\n").at(-1);
  if (!packed?.endsWith(".tgz")) throw new Error(`npm pack names no file: ${stdout}`);
  return path.join(unbuilt, packed);
}

/**
 * Adds standard output to an error. Compilers write their errors there, and the error of a process does not include
 * them.
 */
function sayAll(error: Error & { stdout?: string; stderr?: string }): never {
  throw new Error([error.message, error.stdout, error.stderr].filter(Boolean).join("\n"));
}
