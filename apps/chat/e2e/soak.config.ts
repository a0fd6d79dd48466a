import { defineConfig } from "vitest/config";

/** What `npm run test:soak` tries of the service: the page's main stories in Firefox, and its metrics in Prometheus. */
export default defineConfig({
  resolve: { conditions: ["headgate-source", "module", "node", "development|production"] },
  ssr: { resolve: { conditions: ["headgate-source", "module", "node", "development|production"] } },
  test: {
    include: ["apps/chat/e2e/{firefox,prometheus}/*.test.ts"],
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
