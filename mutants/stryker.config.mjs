import { partOf } from "./parts.mjs";

const { source = "" } = partOf(process.env.MUTANTS_OF) ?? {};

/** @type {import("@stryker-mutator/api/core").PartialStrykerOptions} */
export default {
  testRunner: "vitest",
  vitest: { configFile: "mutants/vitest.config.mjs", related: false },
  mutate: [source.endsWith(".ts") ? source : `${source}/**/*.ts`, "!**/*.test.ts"],
  // Only what the tests need, so that the copy is small.
  ignorePatterns: [
    "/*",
    "!/apps",
    "!/mutants",
    "!/packages",
    "!/package.json",
    "!/tsconfig.base.json",
    "!/vitest.config.ts",
    "dist",
  ],
  tempDirName: "mutants/.sandbox",
  reporters: ["clear-text", "progress-append-only", "html"],
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
  htmlReporter: { fileName: "mutants/report.html" },
  concurrency: 1,
};
