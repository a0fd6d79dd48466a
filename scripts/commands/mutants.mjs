import { PARTS, partOf } from "../../mutants/parts.mjs";
import { Failure, tellFailures } from "../bootstrap/failure.mjs";
import { nodeProgram } from "../bootstrap/install.mjs";
import { prepareInstalled } from "../bootstrap/prepare.mjs";
import { sideWorkspace } from "../bootstrap/side-workspace.mjs";
import { inRepository, withPrograms } from "../bootstrap/workspace.mjs";
import { endWithChildren, run } from "../processes/run.mjs";

const stryker = sideWorkspace("mutants", { contents: "StrykerJS", size: "61 MB" });
const STRYKER = inRepository("mutants/node_modules/@stryker-mutator/core/bin/stryker.js");

/**
 * `npm run test:mutants`: breaks the code in one place at a time, and lists the mistakes that no test notices.
 *
 * @param {string[]} words the parts to break, or folders or files in them; all parts if none. Test files (`….test.ts`)
 * judge instead of all tests of the part. Words from the first `--…` on are Stryker's own.
 */
export async function mutants(words) {
  await tellFailures(async () => {
    const first = words.findIndex((word) => word.startsWith("--"));
    const own = first === -1 ? words : words.slice(0, first);
    const tests = own.filter((word) => word.endsWith(".test.ts"));
    const sources = own.filter((word) => !tests.includes(word));
    const unknown = sources.find((word) => partOf(word) === undefined);
    if (unknown !== undefined) {
      const known = Object.keys(PARTS).join(", ");
      throw new Failure(`There is no part "${unknown}": name ${known}, or a folder or file in one.`);
    }
    endWithChildren();
    await prepareInstalled();
    await stryker.install();
    for (const source of sources.length === 0 ? Object.keys(PARTS) : sources) {
      console.log(`Mutants of ${source}:`);
      const { code } = await run(
        nodeProgram(),
        [STRYKER, "run", "mutants/stryker.config.mjs", ...words.slice(own.length)],
        { env: { ...withPrograms(process.env), MUTANTS_OF: source, MUTANTS_TESTS: tests.join(" ") } },
      );
      if (code !== 0) throw new Failure(`Cannot test the mutants of ${source}: see above.`);
    }
  });
}
