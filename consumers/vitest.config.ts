import { defineConfig } from "vitest/config";

/** The library as it is packed, in projects of those who use it: `npm run test:runtimes`. */
export default defineConfig({
  test: {
    include: ["consumers/*.test.ts"],
    globalSetup: ["packages/headgate/test-package/packing.ts"],
    testTimeout: 240_000,
    hookTimeout: 240_000,
    maxWorkers: 2,
  },
});
