import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { run } from "../processes/run.mjs";
import { Failure } from "./failure.mjs";
import { inRepository, withoutPrograms } from "./workspace.mjs";

const FOLDER = "runtimes";
const LOCK_FILE = inRepository(FOLDER, "package-lock.json");
const STAMP = inRepository(FOLDER, "node_modules", ".headgate-installed");

/** Whether the installed engines are the ones that runtimes/package-lock.json names. */
export function enginesAreInstalled() {
  return existsSync(STAMP) && readFileSync(STAMP, "utf8") === stamp();
}

/**
 * Installs the engines: a workspace of its own, so that a clone need not fetch them.
 *
 * @throws {Failure} in one line, when npm could not
 */
export async function installEngines() {
  if (enginesAreInstalled()) return;
  console.log("Installing workerd, Bun and Deno (half a gigabyte) …");
  // The engines are programs inside of their packages: no install script has to fetch them.
  const words = ["ci", `--prefix=${FOLDER}`, "--ignore-scripts", "--include=dev", "--include=optional"];
  const { code, output } = await run("npm", [...words, "--loglevel=error"], {
    env: withoutPrograms(process.env),
    keepOutput: true,
  });
  if (code !== 0) throw new Failure(missing(output));
  writeFileSync(STAMP, stamp());
}

/** @param {string} output npm's */
function missing(output) {
  const reason = /npm error (?:code )?([A-Z][A-Z_0-9]+)/.exec(output)?.[1] ?? "see npm ci --prefix=runtimes";
  return `workerd, Bun and Deno are missing: npm could not install them from its registry (${reason}).`;
}

function stamp() {
  const lock = createHash("sha256").update(readFileSync(LOCK_FILE)).digest("hex");
  return `${process.platform}-${process.arch} ${lock}\n`;
}
