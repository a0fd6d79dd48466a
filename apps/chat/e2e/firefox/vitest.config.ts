import { defineConfig } from "vitest/config";

/** The page's main stories in a second engine: `npm run test:soak`. */
export default defineConfig({
  resolve: { conditions: ["headgate-source", "module", "node", "development|production"] },
  ssr: { resolve: { conditions: ["headgate-source", "module", "node", "development|production"] } },
  test: {
    include: ["apps/chat/e2e/firefox/*.test.ts"],
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
