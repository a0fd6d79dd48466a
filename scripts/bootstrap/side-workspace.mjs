import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { run } from "../processes/run.mjs";
import { Failure } from "./failure.mjs";
import { inRepository, withoutPrograms } from "./workspace.mjs";

/**
 * A separate workspace, so that `npm ci` need not fetch packages that only some tests need.
 *
 * @typedef {object} SideWorkspace
 * @property {() => boolean} isInstalled whether the installed packages match the lock file
 * @property {() => Promise<void>} install throws a {@link Failure} of one line if npm fails
 */

/**
 * @param {string} folder in the repository
 * @param {{ contents: string, size: string, afterwards?: () => Promise<void> }} the description of its packages, for
 * messages
 * @returns {SideWorkspace}
 */
export function sideWorkspace(folder, { contents, size, afterwards }) {
  const lockFile = inRepository(folder, "package-lock.json");
  const stampFile = inRepository(folder, "node_modules", ".headgate-installed");

  function stamp() {
    const lock = createHash("sha256").update(readFileSync(lockFile)).digest("hex");
    return `${process.platform}-${process.arch} ${lock}\n`;
  }

  const isInstalled = () => existsSync(stampFile) && readFileSync(stampFile, "utf8") === stamp();

  return {
    isInstalled,

    async install() {
      if (isInstalled()) return;
      console.log(`Installing ${contents} (${size}) …`);
      // The packages contain their programs, so no install script is needed.
      const words = ["ci", `--prefix=${folder}`, "--ignore-scripts", "--include=dev", "--include=optional"];
      const { code, output } = await run("npm", [...words, "--loglevel=error"], {
        env: withoutPrograms(process.env),
        keepOutput: true,
      });
      if (code !== 0) {
        const reason =
          /npm error (?:code )?([A-Z][A-Z_0-9]+)/.exec(output)?.[1] ?? `see npm ci --prefix=${folder}`;
        throw new Failure(
          `${contents} are missing: npm could not install them from its registry (${reason}).`,
        );
      }
      await afterwards?.();
      writeFileSync(stampFile, stamp());
    },
  };
}
