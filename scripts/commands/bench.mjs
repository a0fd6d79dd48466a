import { tellFailures } from "../bootstrap/failure.mjs";
import { nodeProgram } from "../bootstrap/install.mjs";
import { prepareBuilt } from "../bootstrap/prepare.mjs";
import { withPrograms } from "../bootstrap/workspace.mjs";
import { runInForeground } from "../processes/foreground.mjs";
import { endWithChildren } from "../processes/run.mjs";

/**
 * `npm run bench`: installs and builds what is missing or stale, then measures the builds.
 *
 * @param {string[]} words the sections and options of bench/main.ts
 */
export async function bench(words) {
  await tellFailures(async () => {
    const leavePreparing = endWithChildren();
    await prepareBuilt();
    leavePreparing();
    await runInForeground([
      { program: nodeProgram(), words: ["bench/main.ts", ...words], env: withPrograms(process.env) },
    ]);
  });
}
