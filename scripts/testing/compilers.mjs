import { sideWorkspace } from "../bootstrap/side-workspace.mjs";

/** The test runners and compilers that users of the library may have, for `npm run test:runtimes`. */
export const compilers = sideWorkspace("consumers", {
  contents: "Jest and older TypeScript versions",
  size: "150 MB",
});
