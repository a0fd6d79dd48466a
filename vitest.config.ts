import { defineConfig } from "vitest/config";

/** The workspace's own sources are tested, not their build: see the "headgate-source" export condition. */
const resolve = { conditions: ["headgate-source", "module", "node", "development|production"] };

export default defineConfig({
  test: {
    // Properties run thousands of cases, and machines can be busy: a slow test is not a failed one.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Many tests wait for servers and processes: leaving a processor free would leave it idle.
    maxWorkers: "100%",
    projects: [
      // Projects run by their names: this one, whose smoke run takes longest, is first and leaves nobody waiting at the end.
      {
        resolve,
        ssr: { resolve },
        test: { name: "bench", include: ["bench/**/*.test.ts"] },
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
          // An embedded PostgreSQL spends seconds on being optimised, which no test lives long enough to gain from.
          execArgv: ["--liftoff-only"],
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
          include: ["apps/chat/{server,tax,testing,web}/**/*.test.{ts,tsx}"],
          // The limits are raised by the very variables an operator would use.
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
