import { defineConfig } from "vitest/config";

/** Tests the packed library in users' projects: `npm run test:runtimes`. */
export default defineConfig({
  test: {
    include: ["consumers/*.test.ts"],
    globalSetup: ["packages/headgate/test-package/packing.ts"],
    testTimeout: 240_000,
    hookTimeout: 240_000,
    maxWorkers: 2,
  },
});
