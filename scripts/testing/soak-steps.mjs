import { prepareBuilt } from "../bootstrap/prepare.mjs";
import { countVitest } from "./counts.mjs";
import { requireFirefox } from "./requirements.mjs";
import { runner, task } from "./steps.mjs";

const FIREFOX_REPORT = "test-results/firefox.json";

/** `npm run test:soak`, in this order. @type {import("./steps.mjs").Step[]} */
export const SOAK_STEPS = [
  task("requirements", 6, requireFirefox),
  task("build", 5, prepareBuilt),
  runner(
    "the page in Firefox",
    15,
    "vitest",
    [
      "run",
      "--config=apps/chat/e2e/firefox/vitest.config.ts",
      "--reporter=default",
      "--reporter=json",
      `--outputFile.json=${FIREFOX_REPORT}`,
    ],
    FIREFOX_REPORT,
    countVitest,
  ),
];
