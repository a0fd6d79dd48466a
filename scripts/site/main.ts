import { mkdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { buildSite } from "./build.ts";
import { serveSite } from "./serve.ts";

/** Where the site is written; `.gitignore` names it. */
const OUTPUT = fileURLToPath(new URL("../../docs/dist", import.meta.url));

/** Where `docs:dev` listens, unless `PORT` says otherwise. */
const PORT = 4000;

const [word] = process.argv.slice(2);
try {
  if (word === undefined) await write();
  else if (word === "serve") await serve();
  else throw new Error(`Expected "serve" or nothing, got "${word}"`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

async function write(): Promise<void> {
  const site = await buildSite();
  await rm(OUTPUT, { recursive: true, force: true });
  for (const [file, content] of site) {
    const target = path.join(OUTPUT, file);
    await mkdir(path.dirname(target), { recursive: true });
    await writeFile(target, content);
  }
  console.log(`The site is in docs/dist: ${site.size} files`);
}

async function serve(): Promise<void> {
  const { PORT: wanted } = process.env;
  const port = wanted ? Number(wanted) : PORT;
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new Error(`PORT must be a whole number from 0 to 65535, got "${wanted}"`);
  const address = await serveSite(port);
  console.log(`The site is at ${address}. Each page is made anew when it is asked for.`);
}
