import { globSync, readFileSync } from "node:fs";
import { defineConfig } from "vitest/config";
import workspace from "../vitest.config.ts";
import { partOf } from "./parts.mjs";

const { MUTANTS_OF, MUTANTS_TESTS = "" } = process.env;
const { source = "", tests = [] } = partOf(MUTANTS_OF) ?? {};
// Not by Stryker's `testFiles`: with it, 10.1.1 never activates mutants of constants, so they all survive.
const include =
  MUTANTS_TESTS === ""
    ? tests.flatMap((folder) => globSync(`${folder}/**/*.test.ts`)).filter((file) => !startsServer(file))
    : MUTANTS_TESTS.split(" ");
const project = source.startsWith("apps/chat/") ? "chat" : "headgate";
const { resolve, ssr, test } = workspace.test.projects.find((one) => one.test.name === project);

export default defineConfig({
  resolve,
  ssr,
  test: { env: test.env ?? {}, include, testTimeout: 60_000, hookTimeout: 60_000 },
});

/** @param {string} file */
function startsServer(file) {
  return readFileSync(file, "utf8").includes("@headgate/test-servers");
}
