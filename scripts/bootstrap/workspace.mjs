import path from "node:path";
import { fileURLToPath } from "node:url";

/** The repository's root: every path in these scripts is relative to it. */
export const ROOT = fileURLToPath(new URL("../..", import.meta.url)).replace(/[/\\]$/, "");

/** @param {...string} parts */
export function inRepository(...parts) {
  return path.join(ROOT, ...parts);
}

/** The programs that npm installed, the repository's own Node among them. */
export const PROGRAMS = inRepository("node_modules", ".bin");

/**
 * An environment in which the installed programs come first, so that their `#!/usr/bin/env node` finds the
 * repository's Node and not the machine's.
 *
 * @param {NodeJS.ProcessEnv} environment
 * @returns {NodeJS.ProcessEnv}
 */
export function withPrograms(environment) {
  return { ...environment, PATH: [PROGRAMS, ...foldersOf(environment)].join(path.delimiter) };
}

/**
 * The opposite, for npm: it is about to take the installed programs away, and must not run on one of them.
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
