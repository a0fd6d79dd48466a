import { defineConfig } from "vitest/config";

/**
 * What `npm run test:soak` tries of the service: the page's main stories in Firefox, its metrics in Prometheus, processes that
 * are killed, crowds, and the image's build. Of the stores, it checks many histories under faults, and of the
 * adapters, many wrong options.
 */
export default defineConfig({
  resolve: { conditions: ["headgate-source", "module", "node", "development|production"] },
  ssr: { resolve: { conditions: ["headgate-source", "module", "node", "development|production"] } },
  test: {
    include: [
      "apps/chat/e2e/{crowd,firefox,image,killed,prometheus}/*.test.ts",
      "packages/headgate/src/stores/under-faults.test.ts",
      "packages/headgate/src/adapters/wrong-options.test.ts",
    ],
    env: { HEADGATE_HISTORIES: "8", HEADGATE_MISTAKES: "280" },
    // For a machine that is busy with other work. On an idle one, the longest takes less than a minute.
    testTimeout: 600_000,
    hookTimeout: 600_000,
  },
});
