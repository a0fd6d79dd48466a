import { sideWorkspace } from "../bootstrap/side-workspace.mjs";

/** What `npm run test:runtimes` compiles a consumer of the library with. */
export const compilers = sideWorkspace("consumers", {
  contents: "TypeScript 5.4 and 5.5",
  size: "70 MB",
});
