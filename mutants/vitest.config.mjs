import { globSync, readFileSync } from "node:fs";
import { defineConfig } from "vitest/config";
import { partOf } from "./parts.mjs";

const { tests = [] } = partOf(process.env.MUTANTS_OF) ?? {};
const include = tests
  .flatMap((folder) => globSync(`${folder}/**/*.test.ts`))
  .filter((file) => !readFileSync(file, "utf8").includes("@headgate/test-servers"));
const resolve = { conditions: ["headgate-source", "module", "node", "development|production"] };

export default defineConfig({
  resolve,
  ssr: { resolve },
  test: { include, testTimeout: 60_000, hookTimeout: 60_000 },
});
