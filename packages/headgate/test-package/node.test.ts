import { beforeAll, describe, expect, it } from "vitest";
import { type Consumer, makeConsumer, type Node, nodesOfThisMachine, run } from "./consumer.ts";

/** For each subpath that needs another package, the package's name. */
const needing: Record<string, string> = {
  "headgate/react": "react",
  "headgate/nest": "@nestjs/common",
  "headgate/otel": "@opentelemetry/api",
};

const nodes = await nodesOfThisMachine();
let alone: Consumer;
let accompanied: Consumer;

beforeAll(async () => {
  alone = await makeConsumer("alone");
  accompanied = await makeConsumer("accompanied", Object.values(needing));
});

/** Returns the names that each subpath exports, or why it does not load. */
async function exportsOf(
  consumer: Consumer,
  node: Node,
  load: "import" | "require",
  flags: readonly string[] = [],
) {
  const source = `
    const loaded = {};
    (async () => {
      for (const specifier of ${JSON.stringify(consumer.specifiers)})
        try {
          loaded[specifier] = Object.keys(${load === "import" ? "await import" : "require"}(specifier)).sort();
        } catch (error) {
          loaded[specifier] = error.message;
        }
      console.log(JSON.stringify(loaded));
    })();`;
  const type = load === "import" ? "module" : "commonjs";
  const { code, stdout, stderr } = await run(consumer.folder, node.program, [
    ...flags,
    `--input-type=${type}`,
    "--eval",
    source,
  ]);
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout) as Record<string, string[] | string>;
}

it("the package is tested on the oldest supported version of Node", (context) => {
  const oldest = nodes.find(({ version }) => version.startsWith("v20."));
  if (!oldest) context.skip(`There is no Node 20 on this machine, only ${nodes.map((node) => node.version)}`);
  expect(oldest).toBeDefined();
});

describe.each(nodes)("on Node $version", (node) => {
  it("imports every subpath, and only installed packages", async () => {
    const loaded = await exportsOf(accompanied, node, "import");
    for (const specifier of accompanied.specifiers)
      expect(loaded[specifier], specifier).toBeInstanceOf(Array);
    expect(loaded.headgate).toContain("createLimiter");
    expect(loaded["headgate/client"]).toContain("createClient");
    expect(loaded["headgate/react"]).toContain("RateLimitNotice");
  });

  it("needs no unused optional peer, and names a missing peer", async () => {
    const loaded = await exportsOf(alone, node, "import");
    for (const specifier of alone.specifiers) {
      const needed = needing[specifier];
      if (needed) expect(loaded[specifier]).toContain(`Cannot find package '${needed}'`);
      else expect(loaded[specifier], specifier).toBeInstanceOf(Array);
    }
  });

  it("requires every subpath, with the same exports, if Node cannot require ES modules", async () => {
    const required = await exportsOf(accompanied, node, "require", ["--no-experimental-require-module"]);
    const { "headgate/nest": ofNest, ...imported } = await exportsOf(accompanied, node, "import");
    // Nest 12 consists of ES modules.
    expect(required).toEqual({
      ...imported,
      "headgate/nest": expect.stringContaining("require() of ES Module"),
    });
    expect((await exportsOf(accompanied, node, "require"))["headgate/nest"]).toEqual(ofNest);
  });

  it("requires no unused optional peer, and names a missing peer", async () => {
    const loaded = await exportsOf(alone, node, "require");
    for (const specifier of alone.specifiers) {
      const needed = needing[specifier];
      if (needed) expect(loaded[specifier]).toContain(`Cannot find module '${needed}`);
      else expect(loaded[specifier], specifier).toBeInstanceOf(Array);
    }
  });

  it("requires no code for Redis or PostgreSQL before a URI needs it", async () => {
    const source = `
      const { createLimiter } = require("headgate");
      const stores = () => Object.keys(require.cache).filter((file) => /stores.(redis|postgres)/.test(file)).length;
      const layers = [{ name: "user", key: (user) => user, limits: "2/minute" }];
      const admit = (store) => createLimiter({ name: "chat", layers, store, timeouts: { connectMs: 200 }, onError() {} }).admit("ada");
      (async () => {
        await admit("memory://");
        console.log(stores());
        await admit("redis://127.0.0.1:1");
        console.log(stores());
        process.exit();
      })();`;
    const outcome = await run(alone.folder, node.program, ["--input-type=commonjs", "--eval", source]);
    expect(outcome).toEqual({ code: 0, stdout: "0\n1\n", stderr: "" });
  });

  it("decides", async () => {
    const source = `
      import { createLimiter } from "headgate";
      const limiter = createLimiter({ name: "chat", layers: [{ name: "user", key: (user) => user, limits: "2/minute" }] });
      for (let call = 0; call < 3; call++) console.log((await limiter.admit("ada")).admitted);
      await limiter.close();`;
    const outcome = await run(alone.folder, node.program, ["--input-type=module", "--eval", source]);
    expect(outcome).toEqual({ code: 0, stdout: "true\ntrue\nfalse\n", stderr: "" });
  });

  it.each([
    ["redis://127.0.0.1:1", "npm install ioredis"],
    ["valkey://127.0.0.1:1", "npm install iovalkey"],
    ["postgres://127.0.0.1:1/limits", "npm install pg"],
    ["pglite://memory", "npm install @electric-sql/pglite"],
  ])("names the package to install for a store at %s", async (store, advice) => {
    const source = `
      import { createLimiter } from "headgate";
      const layers = [{ name: "user", key: (user) => user, limits: "2/minute" }];
      const limiter = createLimiter({ name: "chat", layers, store: ${JSON.stringify(store)} });
      console.log((await limiter.admit("ada")).admitted);
      await limiter.close();`;
    const outcome = await run(alone.folder, node.program, ["--input-type=module", "--eval", source]);
    expect(outcome).toMatchObject({ code: 0, stdout: "true\n" });
    expect(outcome.stderr).toContain(advice);
  });
});
