import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { POSTGRES_VERSIONS } from "../scripts/testing/postgres-servers.mjs";

const resolve = { conditions: ["headgate-source", "module", "node", "development|production"] };
const store = "packages/headgate/src/stores/postgres";

/** Tests the PostgreSQL store on each version that the docs name: `npm run test:soak`. */
export default defineConfig({
  test: {
    testTimeout: 120_000,
    hookTimeout: 120_000,
    maxWorkers: "100%",
    projects: POSTGRES_VERSIONS.map((version) => ({
      resolve,
      ssr: { resolve },
      test: {
        name: `PostgreSQL ${version}`,
        root: fileURLToPath(new URL("..", import.meta.url)),
        include: [
          "servers/suite.test.ts",
          ...["postgres", "racing", "migration", "holds", "blocks", "restart"].map(
            (name) => `${store}/${name}.test.ts`,
          ),
        ],
        env: {
          HEADGATE_POSTGRES: fileURLToPath(
            new URL(`node_modules/postgres-${version}/native/bin`, import.meta.url),
          ),
          HEADGATE_POSTGRES_VERSION: String(version),
        },
      },
    })),
  },
});
