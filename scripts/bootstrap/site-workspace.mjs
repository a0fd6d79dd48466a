import { run } from "../processes/run.mjs";
import { Failure } from "./failure.mjs";
import { nodeProgram } from "./install.mjs";
import { sideWorkspace } from "./side-workspace.mjs";

/** What makes a site of `docs/` and of the comments in the code. */
export const siteWorkspace = sideWorkspace("site", { contents: "VitePress and TypeDoc", size: "150 MB" });

export const VITEPRESS = "site/node_modules/vitepress/bin/vitepress.js";

/** Writes what VitePress reads. @throws {Failure} for a link out of the guide that leads nowhere */
export async function writePages() {
  await runNode(["site/pages.mts"], "The pages of the site could not be written: see above.");
}

/**
 * Writes `docs/dist`.
 *
 * @throws {Failure} for a dead link, for a page without a place in the navigation, and for a word that does not find its page
 */
export async function buildSite() {
  await runNode([VITEPRESS, "build", "site"], "The site could not be built: see above.");
  await runNode(["site/check-search.mts"], "The site's search does not find what it should: see above.");
}

/**
 * @param {string[]} words
 * @param {string} complaint
 */
async function runNode(words, complaint) {
  const { code } = await run(nodeProgram(), words);
  if (code !== 0) throw new Failure(complaint);
}
