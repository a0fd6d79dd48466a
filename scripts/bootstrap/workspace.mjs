import path from "node:path";
import { fileURLToPath } from "node:url";

/** The repository's root: every path in these scripts is relative to it. */
export const ROOT = fileURLToPath(new URL("../..", import.meta.url)).replace(/[/\\]$/, "");

/** @param {...string} parts */
export function inRepository(...parts) {
  return path.join(ROOT, ...parts);
}

/** The folder of the programs that npm installed, including the repository's own Node. */
export const PROGRAMS = inRepository("node_modules", ".bin");

/**
 * Returns an environment with the installed programs first on the path, so that `#!/usr/bin/env node` finds the
 * repository's Node.
 *
 * @param {NodeJS.ProcessEnv} environment
 * @returns {NodeJS.ProcessEnv}
 */
export function withPrograms(environment) {
  return { ...environment, PATH: [PROGRAMS, ...foldersOf(environment)].join(path.delimiter) };
}

/**
 * Returns an environment without the installed programs, for npm, which is about to replace them.
 *
 * @param {NodeJS.ProcessEnv} environment
 * @returns {NodeJS.ProcessEnv}
 */
export function withoutPrograms(environment) {
  return { ...environment, PATH: foldersOf(environment).join(path.delimiter) };
}

/** @param {NodeJS.ProcessEnv} environment */
function foldersOf(environment) {
  const folders = (environment.PATH ?? "").split(path.delimiter);
  return folders.filter((folder) => !folder.startsWith(inRepository("node_modules")));
}
