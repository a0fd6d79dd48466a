/** Bundles the page. The build writes the files into the package; when run from sources, the server serves them. */
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { PageFiles } from "./module.d.ts";

const entry = fileURLToPath(new URL("./main.tsx", import.meta.url));
let bundled: Promise<PageFiles> | undefined;

/** Returns the page's files. The first call bundles them. */
export function pageFiles(): Promise<PageFiles> {
  bundled ??= bundle();
  return bundled;
}

async function bundle(): Promise<PageFiles> {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    outdir: "page",
    format: "esm",
    target: ["es2023", "chrome123", "firefox121", "safari17.5"],
    minify: true,
    // Keep the licences of the bundled packages.
    legalComments: "eof",
    jsx: "automatic",
    jsxImportSource: "preact",
    tsconfigRaw: {},
    define: { "process.env.NODE_ENV": '"production"' },
    logLevel: "silent",
  });
  const textOf = (end: string) => outputFiles.find(({ path }) => path.endsWith(end))?.text ?? "";
  return { script: textOf(".js"), style: textOf(".css") };
}
