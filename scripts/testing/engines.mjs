import { sideWorkspace } from "../bootstrap/side-workspace.mjs";

/** What `npm run test:runtimes` runs the library in. */
export const engines = sideWorkspace("runtimes", {
  contents: "workerd, Bun, Deno and Next",
  size: "0.7 GB",
});
