import { prepareBuilt } from "../bootstrap/prepare.mjs";
import { countVitest } from "./counts.mjs";
import { postgresServers } from "./postgres-servers.mjs";
import { requireForSoak } from "./requirements.mjs";
import { check, onceInstalled, runner, task } from "./steps.mjs";

const POSTGRES_REPORT = "test-results/soak-postgres.json";
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
  task("PostgreSQL servers", 10, postgresServers.install),
  onceInstalled(postgresServers, check("types: servers", 2, "tsc", ["-p", "servers"])),
  onceInstalled(
    postgresServers,
    runner(
      "the store on PostgreSQL 14 to 18",
      20,
      "vitest",
      [
        "run",
        "--config=servers/vitest.config.ts",
        "--reporter=default",
        "--reporter=json",
        `--outputFile.json=${POSTGRES_REPORT}`,
      ],
      POSTGRES_REPORT,
      countVitest,
    ),
  ),
];
