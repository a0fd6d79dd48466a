import { prepareBuilt } from "../bootstrap/prepare.mjs";
import { countVitest } from "./counts.mjs";
import { engines } from "./engines.mjs";
import { requireServers } from "./requirements.mjs";
import { check, onceInstalled, runner, task } from "./steps.mjs";

const RUNTIMES_REPORT = "test-results/runtimes.json";

/** `npm run test:runtimes`, in this order. @type {import("./steps.mjs").Step[]} */
export const RUNTIMES_STEPS = [
  task("requirements", 6, requireServers),
  task("build", 5, prepareBuilt),
  task("engines", 10, engines.install),
  onceInstalled(engines, check("types: runtimes", 2, "tsc", ["-p", "runtimes"])),
  onceInstalled(
    engines,
    runner(
      "the library in workerd, Bun and Deno",
      15,
      "vitest",
      [
        "run",
        "--config=runtimes/vitest.config.ts",
        "--reporter=default",
        "--reporter=json",
        `--outputFile.json=${RUNTIMES_REPORT}`,
      ],
      RUNTIMES_REPORT,
      countVitest,
    ),
  ),
];
