import { enginesAreInstalled, installEngines } from "../bootstrap/engines.mjs";
import { prepareBuilt } from "../bootstrap/prepare.mjs";
import { countVitest, ONE_FAILED } from "./counts.mjs";
import { requireServers } from "./requirements.mjs";
import { check, runner, task } from "./steps.mjs";

const RUNTIMES_REPORT = "test-results/runtimes.json";

/** `npm run test:runtimes`, in this order. @type {import("./steps.mjs").Step[]} */
export const RUNTIMES_STEPS = [
  task("requirements", 6, requireServers),
  task("build", 5, prepareBuilt),
  task("engines", 10, installEngines),
  inEngines(check("types: runtimes", 2, "tsc", ["-p", "runtimes"])),
  inEngines(
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

/**
 * Fails without a word where the engines are not there: the step that installs them has said why.
 *
 * @param {import("./steps.mjs").Step} step
 * @returns {import("./steps.mjs").Step}
 */
function inEngines(step) {
  return { ...step, run: async (limitMs) => (enginesAreInstalled() ? step.run(limitMs) : ONE_FAILED) };
}
