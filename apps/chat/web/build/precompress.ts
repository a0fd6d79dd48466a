import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import type { Plugin } from "vite";

/** What is text. Fonts are compressed as they are. */
const compressible = /\.(js|css|svg)$/;
/** Shorter files gain nothing. */
const shortestBytes = 1_024;

/**
 * Puts Brotli and gzip forms next to each file, made once and as small as they can be: the service sends what a browser
 * takes. From the files as they were written, since other plugins have the last word on them.
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
