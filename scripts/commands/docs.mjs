import { tellFailures } from "../bootstrap/failure.mjs";
import { nodeProgram } from "../bootstrap/install.mjs";
import { prepareInstalled } from "../bootstrap/prepare.mjs";
import { buildSite, siteWorkspace, VITEPRESS, writePages } from "../bootstrap/site-workspace.mjs";
import { withPrograms } from "../bootstrap/workspace.mjs";
import { runInForeground } from "../processes/foreground.mjs";
import { endWithChildren } from "../processes/run.mjs";

/**
 * `npm run docs` and `npm run docs:dev`: the site of `docs/`, with a reference from the doc comments.
 *
 * @param {string[]} words `serve` serves the site and follows changes; without it, the site is written to `docs/dist`
 */
export async function docs(words) {
  await tellFailures(async () => {
    const leavePreparing = endWithChildren();
    await prepareInstalled();
    await siteWorkspace.install();
    await writePages();
    if (words[0] !== "serve") {
      await buildSite();
      console.log("The site is in docs/dist.");
      return;
    }
    leavePreparing();
    const env = withPrograms(process.env);
    await runInForeground([
      { program: nodeProgram(), words: ["site/pages.mts", "watch"], env },
      { program: nodeProgram(), words: [VITEPRESS, "dev", "site"], env },
    ]);
  });
}
