import { sideWorkspace } from "../bootstrap/side-workspace.mjs";

/** The engines of `npm run test:runtimes`. */
export const engines = sideWorkspace("runtimes", {
  contents: "workerd, Bun, Deno and Next",
  size: "0.7 GB",
});
