import { prepareBuilt } from "../bootstrap/prepare.mjs";
import { countVitest } from "./counts.mjs";
import { requireForSoak } from "./requirements.mjs";
import { runner, task } from "./steps.mjs";

const SERVICE_REPORT = "test-results/soak-service.json";

/** `npm run test:soak`, in this order. @type {import("./steps.mjs").Step[]} */
export const SOAK_STEPS = [
  task("requirements", 6, requireForSoak),
  task("build", 5, prepareBuilt),
  runner(
    "the page in Firefox, the metrics in Prometheus",
    15,
    "vitest",
    [
      "run",
      "--config=apps/chat/e2e/soak.config.ts",
      "--reporter=default",
      "--reporter=json",
      `--outputFile.json=${SERVICE_REPORT}`,
    ],
    SERVICE_REPORT,
    countVitest,
  ),
];
