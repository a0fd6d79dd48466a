import { tellFailures } from "../bootstrap/failure.mjs";
import { nodeProgram } from "../bootstrap/install.mjs";
import { prepareBuilt } from "../bootstrap/prepare.mjs";
import { withPrograms } from "../bootstrap/workspace.mjs";
import { runInForeground } from "../processes/foreground.mjs";
import { endWithChildren } from "../processes/run.mjs";

/**
 * `npm run docs` and `npm run docs:dev`: builds what is missing or stale, for the reference is read from the built
 * declarations, then writes the site or serves it.
 *
 * @param {string[]} words `serve`, or nothing to write it
 */
export async function docs(words) {
  await tellFailures(async () => {
    const leavePreparing = endWithChildren();
    await prepareBuilt();
    leavePreparing();
    await runInForeground([
      { program: nodeProgram(), words: ["scripts/site/main.ts", ...words], env: withPrograms(process.env) },
    ]);
  });
}
