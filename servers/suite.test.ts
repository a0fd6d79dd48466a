import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { postgresStore } from "../packages/headgate/src/stores/postgres/index.ts";
import { fakeClock, storeSuite } from "../packages/headgate/src/testing/index.ts";
import { type PostgresServer, startPostgres } from "../packages/test-servers/postgres.ts";

const clock = fakeClock();
let server: PostgresServer;
let store: ReturnType<typeof postgresStore>;

beforeAll(async () => {
  server = await startPostgres();
  store = postgresStore(server.url, { clock });
});
afterAll(async () => {
  await store.close();
  await server.remove();
});

it("runs on the configured version of PostgreSQL", () => {
  expect(server.version).toContain(`(PostgreSQL) ${process.env.HEADGATE_POSTGRES_VERSION}.`);
});

describe("storeSuite", () => {
  const suite = storeSuite({ create: () => ({ store, clock, close: () => {} }), scripts: 20 });
  it.each(suite.map(({ name, run }) => [name, run] as const))("%s", (_name, run) => run());
});
