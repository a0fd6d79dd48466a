import { existsSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import path from "node:path";
import { sideWorkspace } from "../bootstrap/side-workspace.mjs";
import { inRepository } from "../bootstrap/workspace.mjs";

/** The versions that the docs name. */
export const POSTGRES_VERSIONS = [14, 15, 16, 17, 18];

/** The PostgreSQL servers for `npm run test:soak`. */
export const postgresServers = sideWorkspace("servers", {
  contents: `PostgreSQL ${POSTGRES_VERSIONS[0]} to ${POSTGRES_VERSIONS.at(-1)}`,
  size: "300 MB",
  async afterwards() {
    for (const version of POSTGRES_VERSIONS)
      linkLibraries(inRepository("servers/node_modules", `postgres-${version}`));
  },
});

/**
 * Creates the symbolic links that a package needs. npm packages cannot contain links, so a file lists them.
 *
 * @param {string} folder the folder of the package
 */
function linkLibraries(folder) {
  /** @type {{ source: string, target: string }[]} */
  const links = JSON.parse(readFileSync(path.join(folder, "native/pg-symlinks.json"), "utf8"));
  for (const { source, target } of links) {
    const link = path.join(folder, target);
    if (existsSync(link)) continue;
    mkdirSync(path.dirname(link), { recursive: true });
    symlinkSync(path.relative(path.dirname(link), path.join(folder, source)), link);
  }
}
