import { sideWorkspace } from "../bootstrap/side-workspace.mjs";

/** The test runners and compilers for consumers of the library, for `npm run test:runtimes`. */
export const compilers = sideWorkspace("consumers", {
  contents: "Jest and older TypeScripts",
  size: "150 MB",
});
