import { sideWorkspace } from "../bootstrap/side-workspace.mjs";

/** What `npm run test:runtimes` tests and compiles consumers of the library with. */
export const compilers = sideWorkspace("consumers", {
  contents: "Jest and older TypeScripts",
  size: "150 MB",
});
