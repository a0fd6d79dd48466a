import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";

export interface Import {
  specifier: string;
  /**
   * Whether it is removed with the types: `import type`, `export type … from`. Does not recognise `typeof import("…")`.
   */
  isTypeOnly: boolean;
  /** Whether it is a call, which loads the module only when it runs. */
  isLazy: boolean;
  line: number;
}

export interface SourceFile {
  /** Relative to the root, with `/`. */
  path: string;
  imports: Import[];
}

/**
 * Finds statements by their shape, without parsing. The formatter puts each statement at the start of a line. Lines of
 * comments and of indented templates do not match. `import { type A }` counts as an import of values, because with
 * `verbatimModuleSyntax` the module is still loaded.
 */
const STATEMENT = /^(?:import|export)\s(type\s)?(?:[^;"'`]*?\sfrom\s*)?["']([^"']+)["']/gm;
/** Finds lazy imports and inline import types, anywhere. */
const CALL = /\bimport\(\s*["']([^"']+)["']\s*[,)]/g;

/**
 * Returns the imports of one source text, in the order of its lines.
 *
 * @param source formatted TypeScript or JavaScript
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
 * Reads every source file under the folders.
 *
 * @param root an absolute path
 * @param folders paths relative to the root
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

/** @returns the imported file, relative to the root; `undefined` for a package */
export function importedFile(file: SourceFile, { specifier }: Import): string | undefined {
  if (!specifier.startsWith(".")) return undefined;
  return path.posix.join(path.posix.dirname(file.path), specifier.replace(/\?.*$/, ""));
}

export function isTest(file: string): boolean {
  return /\.(test|test-d|spec)\.tsx?$/.test(file);
}
