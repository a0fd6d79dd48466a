import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { Failure } from "../bootstrap/failure.mjs";
import { run } from "../processes/run.mjs";
import { findChromium, findFirefox } from "./browser.mjs";

/**
 * @typedef {object} Requirement
 * @property {string} name
 * @property {string} debianPackage
 * @property {() => boolean} isThere
 * @property {string} otherwise what to do if it cannot be installed automatically
 */

/** The servers for tests of stores. @type {Requirement[]} */
const SERVERS = [
  {
    name: "PostgreSQL's initdb and postgres",
    debianPackage: "postgresql",
    isThere: hasPostgres,
    otherwise: "install a PostgreSQL server, with initdb and postgres on the PATH",
  },
  {
    name: "Redis",
    debianPackage: "redis-server",
    isThere: () =>
      process.env.HEADGATE_REDIS_SERVER !== undefined ||
      ["redis-server", "valkey-server"].some((program) => onPathOr("/usr/bin", program)),
    otherwise: "install redis-server or valkey-server, on the PATH, or set HEADGATE_REDIS_SERVER to one",
  },
];

/** What `npm test` needs in addition to npm's packages. @type {Requirement[]} */
const REQUIREMENTS = [
  ...SERVERS,
  {
    name: "Chromium",
    debianPackage: "chromium",
    isThere: () => findChromium(process.env) !== undefined,
    otherwise: "install Chromium or Chrome, or set CHROMIUM_PATH to one",
  },
  {
    name: "nginx",
    debianPackage: "nginx-light",
    isThere: () => onPathOr("/usr/sbin", "nginx"),
    otherwise: "install nginx, on the PATH or in /usr/sbin",
  },
  {
    name: "PgBouncer",
    debianPackage: "pgbouncer",
    isThere: () => onPathOr("/usr/sbin", "pgbouncer"),
    otherwise: "install pgbouncer, on the PATH",
  },
];

/** What `npm run test:soak` also needs. @type {Requirement[]} */
const SOAK_REQUIREMENTS = [
  {
    name: "Firefox",
    debianPackage: "firefox-esr",
    isThere: () => findFirefox(process.env) !== undefined,
    otherwise: "install Firefox, or set FIREFOX_PATH to one",
  },
  {
    name: "Prometheus",
    debianPackage: "prometheus",
    isThere: () => ["prometheus", "promtool"].every((program) => onPathOr("/usr/bin", program)),
    otherwise: "install prometheus and promtool, on the PATH",
  },
];

/** Debian's folder for the server's programs, which are not on the path. It has a folder for each version. */
const DEBIAN_POSTGRES = "/usr/lib/postgresql";
const INSTALL_LIMIT_MS = 5 * 60_000;

export const requireForTests = () => requireAll(REQUIREMENTS);
export const requireServers = () => requireAll(SERVERS);
export const requireForSoak = () => requireAll(SOAK_REQUIREMENTS);

/**
 * Checks the requirements of the tests, and installs missing ones on Debian if permitted.
 *
 * @param {Requirement[]} requirements
 * @throws {Failure} that names what is missing and says how to get it
 */
async function requireAll(requirements) {
  const missing = requirements.filter(({ isThere }) => !isThere());
  if (missing.length === 0) return;
  if (process.getuid?.() === 0 && existsSync("/usr/bin/apt-get")) await installFromDebian(missing);
  const stillMissing = missing.filter(({ isThere }) => !isThere());
  if (stillMissing.length === 0) return;
  throw new Failure(
    stillMissing
      .map(
        ({ name, debianPackage, otherwise }) =>
          `The tests need ${name}: ${otherwise}. On Debian and Ubuntu: sudo apt-get install ${debianPackage}`,
      )
      .join("\n"),
  );
}

/** @param {Requirement[]} missing */
async function installFromDebian(missing) {
  const packages = missing.map(({ debianPackage }) => debianPackage);
  console.log(`Installing ${packages.join(" and ")} …`);
  const options = {
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    keepOutput: true,
    limitMs: INSTALL_LIMIT_MS,
  };
  await run("apt-get", ["update"], options);
  const { code, output } = await run(
    "apt-get",
    ["install", "-y", "--no-install-recommends", ...packages],
    options,
  );
  if (code !== 0) console.error(output);
}

/** @param {string} folder a Debian folder that is only on root's path @param {string} program */
function onPathOr(folder, program) {
  const folders = [folder, ...(process.env.PATH ?? "").split(path.delimiter)];
  return folders.some((one) => existsSync(path.join(one, program)));
}

function hasPostgres() {
  const versions = existsSync(DEBIAN_POSTGRES) ? readdirSync(DEBIAN_POSTGRES) : [];
  const folders = [
    ...versions.map((version) => path.join(DEBIAN_POSTGRES, version, "bin")),
    ...(process.env.PATH ?? "").split(path.delimiter),
  ];
  return folders.some((folder) =>
    ["initdb", "postgres"].every((name) => existsSync(path.join(folder, name))),
  );
}
