/** Builds the package: `node packages/headgate-console/build.ts` writes `dist`. Build the library first. */
import { spawnSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { pageFiles } from "./page/bundle.ts";

const dist = fileURLToPath(new URL("./dist/", import.meta.url));
const config = fileURLToPath(new URL("./tsconfig.build.json", import.meta.url));
const tsc = fileURLToPath(new URL("../../node_modules/.bin/tsc", import.meta.url));

rmSync(dist, { recursive: true, force: true });
const { status } = spawnSync(process.execPath, [tsc, "-p", config], { stdio: "inherit" });
if (status !== 0) process.exit(status ?? 1);
const files = JSON.stringify(await pageFiles());
writeFileSync(`${dist}page.js`, `const files = ${files};\nexport const pageFiles = async () => files;\n`);
