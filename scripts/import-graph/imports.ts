import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";

export interface Import {
  specifier: string;
  /** Gone once the types are: `import type`, `export type … from`, `typeof import("…")` in a type is not told apart. */
  isTypeOnly: boolean;
  /** Written as a call: loaded when it is made, and not with the module. */
  isLazy: boolean;
  line: number;
}

export interface SourceFile {
  /** From the root, with `/`. */
  path: string;
  imports: Import[];
}

/**
 * The statements are found by their shape and not by parsing: the formatter puts each at the start of a line, where neither a
 * comment's ` * ` nor an indented template has anything. `import { type A }` counts as an import of values, because with
 * `verbatimModuleSyntax` it is one: the module is still loaded.
 */
const STATEMENT = /^(?:import|export)\s(type\s)?(?:[^;"'`]*?\sfrom\s*)?["']([^"']+)["']/gm;
/** Anywhere: lazy imports, and types written in place. */
const CALL = /\bimport\(\s*["']([^"']+)["']\s*[,)]/g;

/**
 * The imports of one source text, in the order of its lines.
 *
 * @param source TypeScript or JavaScript as the formatter writes it
 */
export function importsIn(source: string): Import[] {
  const statements = [...source.matchAll(STATEMENT)].map(({ 1: type, 2: specifier = "", index }) => ({
    specifier,
    isTypeOnly: type !== undefined,
    isLazy: false,
    line: lineAt(source, index),
  }));
  const calls = [...source.matchAll(CALL)]
    .filter(({ index }) => !isInComment(source, index))
    .map(({ 1: specifier = "", index }) => ({
      specifier,
      isTypeOnly: false,
      isLazy: true,
      line: lineAt(source, index),
    }));
  return [...statements, ...calls].sort((a, b) => a.line - b.line);
}

function lineAt(source: string, index: number): number {
  return source.slice(0, index).split("\n").length;
}

function isInComment(source: string, index: number): boolean {
  const lineStart = source.lastIndexOf("\n", index) + 1;
  return /^\s*(\*|\/\*)|\/\//.test(source.slice(lineStart, index));
}

/**
 * Every source file under the folders, read.
 *
 * @param root absolute
 * @param folders relative to it
 */
export function sourceFiles(root: string, folders: string[]): SourceFile[] {
  return folders
    .flatMap((folder) => filesUnder(root, folder))
    .map((file) => ({ path: file, imports: importsIn(readFileSync(path.join(root, file), "utf8")) }));
}

function filesUnder(root: string, folder: string): string[] {
  if (!existsSync(path.join(root, folder))) return [];
  return readdirSync(path.join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const file = path.posix.join(folder, entry.name);
    if (entry.isDirectory())
      return ["node_modules", "dist"].includes(entry.name) ? [] : filesUnder(root, file);
    return /\.(ts|tsx|mts|js|mjs)$/.test(entry.name) ? [file] : [];
  });
}

/** @returns the imported file, from the root; `undefined` when it is a package's */
export function importedFile(file: SourceFile, { specifier }: Import): string | undefined {
  if (!specifier.startsWith(".")) return undefined;
  return path.posix.join(path.posix.dirname(file.path), specifier.replace(/\?.*$/, ""));
}

export function isTest(file: string): boolean {
  return /\.(test|test-d|spec)\.tsx?$/.test(file);
}
