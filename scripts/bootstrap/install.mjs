import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { run } from "../processes/run.mjs";
import { Failure } from "./failure.mjs";
import { inRepository, withoutPrograms } from "./workspace.mjs";

const LOCK_FILE = inRepository("package-lock.json");
const STAMP = inRepository("node_modules", ".headgate-installed");
/** npm's record of what it installed. */
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
  // If the packages are right because somebody ran npm by hand, do not install again.
  if (!isInstalledAsWanted(JSON.parse(wanted), JSON.parse(readFileSync(INSTALLED, "utf8")))) return "stale";
  writeFileSync(STAMP, stampOf(wanted));
  return "fresh";
}

/**
 * Installs the packages of package-lock.json, including development ones, whatever NODE_ENV is.
 *
 * @throws {Failure} if npm fails, or the installed Node does not run on this machine
 */
export async function install() {
  const env = withoutPrograms(process.env);
  // "error" hides warnings that some packages need a newer Node than the one that runs npm. They will run on a newer
  // one.
  const words = ["ci", "--include=dev", "--include=optional", "--loglevel=error", "--no-fund", "--no-audit"];
  const { code, signal, isMissing } = await run("npm", words, { env });
  if (isMissing) throw new Failure("npm was not found. It comes with Node: https://nodejs.org/en/download");
  if (code !== 0) {
    throw new Failure(
      `Cannot install the packages (npm exited with ${code ?? signal}). See npm's output above; if the network failed, try again.`,
    );
  }
  if (!(await ownNodeRuns())) await fetchOwnNode(env);
  writeFileSync(STAMP, stampOf(readFileSync(LOCK_FILE, "utf8")));
}

/**
 * Returns the Node that runs the service, the builds and the tests: the repository's own or, if npm has none for this
 * platform (such as Alpine), the machine's if it is new enough.
 *
 * @returns {string} the path of the program
 * @throws {Failure} if there is neither
 */
export function nodeProgram() {
  if (existsSync(OWN_NODE)) return OWN_NODE;
  if (isNewEnough(process.versions.node)) return process.execPath;
  throw noNode();
}

/**
 * Whether every package in the lock file is installed in the right version. Optional packages may be missing: most are
 * programs for other platforms.
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
 * Fetches the program of the "node" package. Its install script normally does that, but npm can be configured to run no
 * scripts.
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
