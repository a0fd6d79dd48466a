import { run } from "../processes/run.mjs";
import { Failure } from "./failure.mjs";
import { nodeProgram } from "./install.mjs";
import { sideWorkspace } from "./side-workspace.mjs";

/** The tools that build the site from `docs/` and the doc comments. */
export const siteWorkspace = sideWorkspace("site", { contents: "VitePress and TypeDoc", size: "150 MB" });

export const VITEPRESS = "site/node_modules/vitepress/bin/vitepress.js";

/** Writes the pages for VitePress. @throws {Failure} for a dead link from the guide to a file */
export async function writePages() {
  await runNode(["site/pages.mts"], "Cannot write the pages of the site: see above.");
}

/**
 * Writes `docs/dist`.
 *
 * @throws {Failure} for a dead link, a page that is missing in the navigation, or a word that does not find its page
 */
export async function buildSite() {
  await runNode([VITEPRESS, "build", "site"], "Cannot build the site: see above.");
  await runNode(["site/check-search.mts"], "The site's search does not find the right pages: see above.");
}

/**
 * @param {string[]} words
 * @param {string} complaint
 */
async function runNode(words, complaint) {
  const { code } = await run(nodeProgram(), words);
  if (code !== 0) throw new Failure(complaint);
}
