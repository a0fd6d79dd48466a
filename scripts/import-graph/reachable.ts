import { importedFile, type SourceFile } from "./imports.ts";

/**
 * Returns everything that is loaded with a module: the files that it imports directly or indirectly, and the packages
 * that any of them imports. Type imports and lazy imports do not count.
 *
 * @param entry a file's path
 */
export function reachableFrom(entry: string, files: SourceFile[]): { files: string[]; packages: string[] } {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const reached = new Set<string>();
  const packages = new Set<string>();
  const waiting = [entry];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (reached.has(next)) continue;
    reached.add(next);
    const file = byPath.get(next);
    for (const import_ of file?.imports.filter(({ isTypeOnly, isLazy }) => !isTypeOnly && !isLazy) ?? []) {
      const target = file && importedFile(file, import_);
      if (target === undefined) packages.add(import_.specifier);
      else waiting.push(target);
    }
  }
  return { files: [...reached].sort(), packages: [...packages].sort() };
}
