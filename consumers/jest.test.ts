import { cp, mkdir, symlink } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type Consumer,
  makeConsumer,
  nodesOfThisMachine,
  run,
} from "../packages/headgate/test-package/consumer.ts";
import { type RedisServer, startRedis } from "../packages/test-servers/redis.ts";

const installedHere = fileURLToPath(new URL("node_modules", import.meta.url));
const nodes = await nodesOfThisMachine();

let consumer: Consumer;
let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
  process.env.REDIS_URL = redis.url;
  const peers = ["react", "react-dom", "scheduler", "@opentelemetry/api", "hono", "ioredis"];
  consumer = await makeConsumer("jest", peers);
  const modules = path.join(consumer.folder, "node_modules");
  await mkdir(path.join(modules, "@jest"));
  for (const name of ["@jest/globals", "jest-environment-jsdom", "ts-jest", "typescript"])
    await symlink(path.join(installedHere, name), path.join(modules, name), "dir");
  await cp(fileURLToPath(new URL("jest", import.meta.url)), consumer.folder, { recursive: true });
});
afterAll(() => redis?.remove());

describe.each(nodes)("Jest 30 on Node $version", ({ program }) => {
  async function jest(flags: readonly string[], words: readonly string[]) {
    const started = [...flags, path.join(installedHere, "jest/bin/jest.js"), "--json", ...words];
    const { stdout, stderr } = await run(consumer.folder, program, started);
    const report = stdout.startsWith("{") ? JSON.parse(stdout) : {};
    const { numFailedTests, numFailedTestSuites, numPassedTestSuites, numRuntimeErrorTestSuites } = report;
    return { numFailedTests, numFailedTestSuites, numPassedTestSuites, numRuntimeErrorTestSuites, stderr };
  }

  it("runs tests that require the package, with fake timers, jsdom and ts-jest, without a flag", async () => {
    const outcome = await jest([], ["--testMatch", "**/*.test.{js,ts}"]);
    expect(outcome, outcome.stderr).toMatchObject({
      numFailedTests: 0,
      numFailedTestSuites: 0,
      numRuntimeErrorTestSuites: 0,
      numPassedTestSuites: 5,
    });
  });

  it("runs tests that import the package, with Node's flag for ES modules", async () => {
    const outcome = await jest(["--experimental-vm-modules"], ["--testMatch", "**/*.test.mjs"]);
    expect(outcome, outcome.stderr).toMatchObject({ numFailedTests: 0, numPassedTestSuites: 1 });
  });
});
