import { defineConfig } from "vitest/config";

/**
 * The long tests of `npm run test:soak`: the page's main scenarios in Firefox, the metrics in Prometheus, processes
 * that are killed, crowds, the image's build, many histories of the stores under faults, many wrong options of the
 * adapters, and short runs of the benchmarks.
 */
export default defineConfig({
  resolve: { conditions: ["headgate-source", "module", "node", "development|production"] },
  ssr: { resolve: { conditions: ["headgate-source", "module", "node", "development|production"] } },
  test: {
    include: [
      "apps/chat/e2e/{crowd,firefox,image,killed,prometheus}/*.test.ts",
      "packages/headgate/src/stores/under-faults.test.ts",
      "packages/headgate/src/adapters/wrong-options.test.ts",
      "bench/smoke.test.ts",
    ],
    env: { HEADGATE_HISTORIES: "8", HEADGATE_MISTAKES: "280" },
    // Most of these tests wait for servers and processes.
    maxWorkers: "100%",
    // The time limit is for a busy machine. On an idle machine, the longest test takes less than a minute.
    testTimeout: 600_000,
    hookTimeout: 600_000,
  },
});
