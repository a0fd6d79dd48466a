import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import type { Plugin } from "vite";

/** The files to compress: text. Fonts are already compressed. */
const compressible = /\.(js|css|svg)$/;
/** Shorter files do not become smaller when compressed. */
const shortestBytes = 1_024;

/**
 * Writes Brotli and gzip forms next to each file, at the highest level. The service sends the form that a browser
 * accepts. The plugin reads the written files, because other plugins may change files until they are written.
 */
export function precompress(): Plugin {
  return {
    name: "precompress",
    apply: "build",
    async writeBundle({ dir = "." }, bundle) {
      for (const fileName of Object.keys(bundle).filter((name) => compressible.test(name))) {
        const file = path.join(dir, fileName);
        const source = await readFile(file);
        if (source.length < shortestBytes) continue;
        const params = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY };
        await writeFile(`${file}.br`, brotliCompressSync(source, { params }));
        await writeFile(`${file}.gz`, gzipSync(source, { level: 9 }));
      }
    },
  };
}
