import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { run } from "../processes/run.mjs";
import { Failure } from "./failure.mjs";
import { inRepository, withoutPrograms } from "./workspace.mjs";

const LOCK_FILE = inRepository("package-lock.json");
const STAMP = inRepository("node_modules", ".headgate-installed");
/** npm's own account of what it installed. */
const INSTALLED = inRepository("node_modules", ".package-lock.json");
const OWN_NODE = inRepository("node_modules", ".bin", "node");
const OWN_NODE_MAJOR = 24;

/** @returns {"fresh" | "missing" | "stale"} whether the installed packages are the ones that package-lock.json names */
export function installedState() {
  if (!existsSync(INSTALLED)) return "missing";
  if (!existsSync(OWN_NODE) && !isNewEnough(process.versions.node)) return "stale";
  const wanted = readFileSync(LOCK_FILE, "utf8");
  const stamp = existsSync(STAMP) ? readFileSync(STAMP, "utf8") : undefined;
  if (stamp === stampOf(wanted)) return "fresh";
  if (stamp !== undefined && !stamp.startsWith(`${machine()} `)) return "stale";
  // Somebody may have run npm by hand, which is as good, and nothing to undo.
  if (!isInstalledAsWanted(JSON.parse(wanted), JSON.parse(readFileSync(INSTALLED, "utf8")))) return "stale";
  writeFileSync(STAMP, stampOf(wanted));
  return "fresh";
}

/**
 * Installs what package-lock.json names, tests and builders included, whatever NODE_ENV says.
 *
 * @throws {Failure} when npm could not, or when what it installed does not run here
 */
export async function install() {
  const env = withoutPrograms(process.env);
  // "error" leaves out a page of warnings that some packages want a newer Node than the one which runs npm: they get it.
  const words = ["ci", "--include=dev", "--include=optional", "--loglevel=error", "--no-fund", "--no-audit"];
  const { code, signal, isMissing } = await run("npm", words, { env });
  if (isMissing) throw new Failure("npm was not found. It comes with Node: https://nodejs.org/en/download");
  if (code !== 0) {
    throw new Failure(
      `The packages could not be installed (npm ended with ${code ?? signal}). npm's own words are above; when it was the network, start again.`,
    );
  }
  if (!(await ownNodeRuns())) await fetchOwnNode(env);
  writeFileSync(STAMP, stampOf(readFileSync(LOCK_FILE, "utf8")));
}

/**
 * The Node that runs the service, the builders and the tests: the repository's own, or the machine's where npm has none
 * for it (Alpine, say) and the machine's is new enough.
 *
 * @returns {string} the path of the program
 * @throws {Failure} when there is neither
 */
export function nodeProgram() {
  if (existsSync(OWN_NODE)) return OWN_NODE;
  if (isNewEnough(process.versions.node)) return process.execPath;
  throw noNode();
}

/**
 * Whether every package that the lock file names is installed in that version. Optional ones may be missing: most are other
 * platforms' programs.
 *
 * @typedef {{ packages: Record<string, { version?: string, integrity?: string, optional?: boolean, link?: boolean }> }} LockFile
 * @param {LockFile} wanted package-lock.json
 * @param {LockFile} installed node_modules/.package-lock.json
 */
export function isInstalledAsWanted(wanted, installed) {
  const names = Object.keys(wanted.packages).filter((name) => name.includes("node_modules/"));
  const areAsWanted = names.every((name) => {
    const package_ = wanted.packages[name];
    const found = installed.packages[name];
    if (!found) return package_?.optional === true;
    return found.version === package_?.version && found.integrity === package_?.integrity;
  });
  const areAllWanted = Object.keys(installed.packages).every((name) => name in wanted.packages);
  return areAsWanted && areAllWanted;
}

/** @param {string} lockFile */
function stampOf(lockFile) {
  return `${machine()} ${createHash("sha256").update(lockFile).digest("hex")}\n`;
}

function machine() {
  return `${process.platform}-${process.arch}`;
}

async function ownNodeRuns() {
  const { code } = await run(OWN_NODE, ["--version"], { keepOutput: true });
  return code === 0;
}

/**
 * The "node" package fetches its program in an install script, which npm leaves out for those who told it to run none.
 *
 * @param {NodeJS.ProcessEnv} env
 */
async function fetchOwnNode(env) {
  const isMachinesOwn = !process.execPath.startsWith(inRepository("node_modules"));
  if (isMachinesOwn && isNewEnough(process.versions.node)) return;
  console.log("Fetching the repository's own Node …");
  await run("npm", ["rebuild", "node", "--ignore-scripts=false", "--loglevel=error"], { env });
  if (!(await ownNodeRuns())) throw noNode();
}

/** @param {string} version */
function isNewEnough(version) {
  return Number(version.split(".")[0]) >= OWN_NODE_MAJOR;
}

function noNode() {
  return new Failure(
    `The service runs on Node ${OWN_NODE_MAJOR}, and npm could not install one for ${machine()}. Install Node ${OWN_NODE_MAJOR} or newer (https://nodejs.org/en/download), then start again with it.`,
  );
}
