import { readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { beforeAll, expect, it } from "vitest";
import { type Consumer, installed, makeConsumer, run } from "./consumer.ts";

/** A program that has something of every subpath in it. */
const program = `
import { createLimiter, memoryStore, parseLimits, HeadgateError } from "headgate";
import { callerAddress, rateLimitFields, refusal } from "headgate/http";
import { createClient, PaymentRequiredError, RateLimitedError } from "headgate/client";
import { QuotaMeter, RateLimitNotice, useCountdown, useRateLimit } from "headgate/react";
import { fakeClock, storeSuite } from "headgate/testing";
import { redisStore } from "headgate/redis";
import { durableObjectStore, LimiterObject } from "headgate/durable-object";
import { postgresStore } from "headgate/postgres";
import { rateLimit as fetchLimit } from "headgate/fetch";
import { rateLimit as honoLimit } from "headgate/hono";
import { rateLimit as nodeLimit } from "headgate/node";
import { rateLimit as expressLimit } from "headgate/express";
import { rateLimit as fastifyLimit } from "headgate/fastify";
import { rateLimit as koaLimit } from "headgate/koa";
import * as next from "headgate/next";
import * as nest from "headgate/nest";
import { bearerIdentity } from "headgate/identity";
import { estimateTokens, meter, openaiChat } from "headgate/ai";
import { observe } from "headgate/otel";

const limiter = createLimiter({
  name: "chat",
  layers: [
    { name: "user", key: (caller: { user?: string; ip: string }) => caller.user ?? caller.ip, limits: "5/minute; 100 tokens/day" },
    { name: "org", key: () => "acme", plans: { free: "9 images/day", staff: "unlimited" }, plan: () => "free", defaultPlan: "free" },
  ],
  units: ["seconds"],
  store: memoryStore(),
});
export const costs = () => [
  limiter.admit({ ip: "203.0.113.7" }, { cost: { requests: 1, tokens: 900, images: 1, seconds: 1 } }),
  // @ts-expect-error a unit that no limit counts
  limiter.admit({ ip: "203.0.113.7" }, { cost: { token: 900 } }),
  // @ts-expect-error a limiter needs a name
  () => createLimiter({ layers: [{ name: "user", key: () => "ann", limits: "5/minute" }] }),
];
export async function ask(): Promise<number> {
  const admission = await limiter.admit({ ip: "203.0.113.7" });
  // @ts-expect-error a caller without what the key needs
  limiter.admit({ name: "ada" });
  if (!admission.admitted) return admission.retryAfterSeconds;
  await using held = admission;
  return held.limits.length;
}
const client = createClient({ retry: { maxWaitMs: 1000 } });
const send: typeof fetch = client.fetch;
export const left: number | undefined = client.quota()?.tightest?.remaining;
export const all = [
  parseLimits, HeadgateError, callerAddress, rateLimitFields, refusal, PaymentRequiredError, RateLimitedError, send,
  QuotaMeter, RateLimitNotice, useCountdown, useRateLimit, fakeClock, storeSuite, redisStore, postgresStore, durableObjectStore, LimiterObject, fetchLimit,
  honoLimit, nodeLimit, expressLimit, fastifyLimit, koaLimit, next, nest, bearerIdentity,
  estimateTokens, meter, openaiChat, () => observe(limiter),
];
`;

const modern = installed("typescript");
/** The compiler that attw brings along: users have older ones than the repository. */
const older = path.dirname(
  createRequire(path.join(installed("@arethetypeswrong/core"), "package.json")).resolve(
    "typescript/package.json",
  ),
);
/** One of them looks into every declaration, those of the peers too, which takes a while. */
const cases = [
  { compiler: modern, moduleResolution: "bundler", module: "esnext", skipLibCheck: true },
  { compiler: modern, moduleResolution: "node16", module: "node16", skipLibCheck: true },
  { compiler: modern, moduleResolution: "nodenext", module: "nodenext", skipLibCheck: false },
  { compiler: older, moduleResolution: "nodenext", module: "nodenext", skipLibCheck: true },
].map((one) => ({ ...one, version: createRequire(import.meta.url)(`${one.compiler}/package.json`).version }));

let consumer: Consumer;
beforeAll(async () => {
  const { peerDependencies } = JSON.parse(
    await readFile(new URL("../package.json", import.meta.url), "utf8"),
  );
  const types = ["@types/node", "@types/react", "@types/express", "@types/koa", "@types/pg"];
  consumer = await makeConsumer("typed", [...Object.keys(peerDependencies), ...types]);
  await writeFile(path.join(consumer.folder, "program.ts"), program);
});

it("has something of every subpath in its program", () => {
  for (const specifier of consumer.specifiers) expect(program).toContain(`from "${specifier}"`);
});

it.each(cases)("compiles with TypeScript $version and $moduleResolution", async (one) => {
  const { compiler, moduleResolution, module, skipLibCheck } = one;
  const configuration = {
    compilerOptions: {
      moduleResolution,
      module,
      target: "es2022",
      lib: ["es2023", "esnext.disposable", "dom", "dom.iterable"],
      types: ["node"],
      strict: true,
      exactOptionalPropertyTypes: true,
      noEmit: true,
      skipLibCheck,
    },
    files: ["program.ts"],
  };
  const file = path.join(consumer.folder, `tsconfig.${moduleResolution}.json`);
  await writeFile(file, JSON.stringify(configuration));
  const words = [path.join(compiler, "bin/tsc"), "-p", file, "--listFiles"];
  const { stdout } = await run(consumer.folder, process.execPath, words);
  const lines = stdout.split("\n");
  // Everything of the package was looked at, and what is wrong in the declarations of others is theirs.
  expect(lines.filter((line) => line.includes("node_modules/headgate/dist/")).length).toBeGreaterThan(50);
  const theirs = /^\S*node_modules\/(?!headgate\/)\S*\(\d/;
  const wrong = lines.filter((line) => line.includes("error TS") && !theirs.test(line));
  expect(wrong.join("\n")).toBe("");
});
