import { prepareBuilt } from "../bootstrap/prepare.mjs";
import { buildSite, siteWorkspace, writePages } from "../bootstrap/site-workspace.mjs";
import { postgresServers } from "./postgres-servers.mjs";
import { requireForSoak } from "./requirements.mjs";
import { check, onceInstalled, task, vitest } from "./steps.mjs";

/** `npm run test:soak`, in this order. @type {import("./steps.mjs").Step[]} */
export const SOAK_STEPS = [
  task("requirements", 6, requireForSoak),
  task("build", 5, prepareBuilt),
  vitest(
    "the page in Firefox, the metrics in Prometheus, kills, crowds and benchmarks",
    25,
    "apps/chat/e2e/soak.config.ts",
  ),
  task("the site's programs", 5, siteWorkspace.install),
  // These steps fail for a dead link, a page that is missing in the navigation, and a module that the reference lacks.
  onceInstalled(siteWorkspace, task("pages of the site", 5, writePages)),
  onceInstalled(siteWorkspace, task("the site", 5, buildSite)),
  task("PostgreSQL servers", 10, postgresServers.install),
  onceInstalled(postgresServers, check("types: servers", 2, "tsc", ["-p", "servers"])),
  onceInstalled(postgresServers, vitest("the store on PostgreSQL 14 to 18", 20, "servers/vitest.config.ts")),
];
