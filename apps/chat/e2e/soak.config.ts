import { defineConfig } from "vitest/config";

/** The service's part of `npm run test:soak`: the main user stories in Firefox, and the metrics in Prometheus. */
export default defineConfig({
  resolve: { conditions: ["headgate-source", "module", "node", "development|production"] },
  ssr: { resolve: { conditions: ["headgate-source", "module", "node", "development|production"] } },
  test: {
    include: ["apps/chat/e2e/{firefox,prometheus}/*.test.ts"],
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
