import { prepareBuilt } from "../bootstrap/prepare.mjs";
import { sideWorkspace } from "../bootstrap/side-workspace.mjs";
import { requireServers } from "./requirements.mjs";
import { check, onceInstalled, task, vitest } from "./steps.mjs";

const engines = sideWorkspace("runtimes", { contents: "workerd, Bun, Deno and Next", size: "0.7 GB" });
/** The test runners and compilers that users of the library may have. */
const compilers = sideWorkspace("consumers", {
  contents: "Jest and older TypeScript versions",
  size: "150 MB",
});

/** `npm run test:runtimes`, in this order. @type {import("./steps.mjs").Step[]} */
export const RUNTIMES_STEPS = [
  task("requirements", 6, requireServers),
  task("build", 5, prepareBuilt),
  task("engines", 10, engines.install),
  onceInstalled(engines, check("types: runtimes", 2, "tsc", ["-p", "runtimes"])),
  onceInstalled(
    engines,
    vitest("the library in workerd, Bun, Deno and Next", 15, "runtimes/vitest.config.ts"),
  ),
  task("compilers", 5, compilers.install),
  onceInstalled(compilers, check("types: consumers", 2, "tsc", ["-p", "consumers"])),
  onceInstalled(
    compilers,
    vitest("the library in Jest and for older TypeScripts", 10, "consumers/vitest.config.ts"),
  ),
];
