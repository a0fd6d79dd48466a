import { defineConfig } from "vitest/config";

/** Tests the built library in the engines that the docs name: `npm run test:runtimes`. */
export default defineConfig({
  test: {
    include: ["runtimes/**/*.test.ts"],
    exclude: ["runtimes/node_modules/**"],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
  },
});
