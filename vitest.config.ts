import { defineConfig } from "vitest/config";

/** Tests use the workspace's sources, not their builds: see the "headgate-source" export condition. */
const resolve = { conditions: ["headgate-source", "module", "node", "development|production"] };

/** Optimising the embedded PostgreSQL takes seconds, which a test never recovers. */
const unoptimised = ["--liftoff-only"];

export default defineConfig({
  test: {
    // Property tests run thousands of cases, and the machine may be busy, so allow slow tests.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Many tests wait for servers and processes, so a free processor would be idle.
    maxWorkers: "100%",
    projects: [
      {
        resolve,
        ssr: { resolve },
        // `npm run test:soak` runs the benchmarks: they start some 100 processes.
        test: { name: "bench", include: ["bench/*/**/*.test.ts", "bench/traffic.test.ts"] },
      },
      {
        resolve,
        ssr: { resolve },
        test: { name: "scripts", include: ["scripts/**/*.test.ts"] },
      },
      {
        resolve,
        ssr: { resolve },
        test: {
          name: "headgate",
          execArgv: unoptimised,
          include: ["packages/headgate/src/**/*.test.{ts,tsx}"],
          typecheck: { enabled: false },
        },
      },
      {
        resolve,
        ssr: { resolve },
        test: {
          name: "headgate-server",
          execArgv: ["--conditions=headgate-source"],
          include: ["packages/headgate-server/src/**/*.test.ts"],
        },
      },
      {
        resolve,
        ssr: { resolve },
        test: { name: "console", include: ["packages/headgate-console/**/*.test.ts"] },
      },
      {
        test: {
          name: "package",
          include: ["packages/headgate/test-package/**/*.test.ts"],
          globalSetup: ["packages/headgate/test-package/packing.ts"],
        },
      },
      {
        resolve,
        ssr: { resolve },
        test: {
          name: "chat",
          execArgv: unoptimised,
          include: ["apps/chat/{server,tax,testing,web}/**/*.test.{ts,tsx}"],
          // Raise the limits with the same variables that an operator would use.
          env: {
            RATE_LIMIT_CHAT_PER_MIN: "10000",
            RATE_LIMIT_CHAT_PER_HOUR: "10000",
            RATE_LIMIT_CHAT_IP_PER_MIN: "10000",
            RATE_LIMIT_CHAT_CONCURRENT: "1000",
            RATE_LIMIT_BODIES_IP_PER_MIN: "10000",
          },
        },
      },
    ],
  },
});
