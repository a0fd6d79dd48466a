import { sideWorkspace } from "../bootstrap/side-workspace.mjs";

/** What `npm run test:runtimes` runs the library in. */
export const engines = sideWorkspace("runtimes", {
  contents: "workerd, Bun and Deno",
  size: "half a gigabyte",
});
