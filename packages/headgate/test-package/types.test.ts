import { writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { beforeAll, expect, it } from "vitest";
import { compile, makeTypedConsumer, writeProgram } from "./compile.ts";
import { type Consumer, installed, makeConsumer } from "./consumer.ts";
import { lonely } from "./lonely-program.ts";
import { program } from "./program.ts";

const modern = installed("typescript");
/** The compiler that attw depends on: users have older versions than the repository. */
const older = path.dirname(
  createRequire(path.join(installed("@arethetypeswrong/core"), "package.json")).resolve(
    "typescript/package.json",
  ),
);
/** One of them checks every declaration, including those of the peers, which takes a while. */
const cases = [
  { compiler: modern, moduleResolution: "bundler", module: "esnext", skipLibCheck: true },
  { compiler: modern, moduleResolution: "bundler", module: "commonjs", skipLibCheck: true },
  { compiler: modern, moduleResolution: "node16", module: "node16", skipLibCheck: true },
  { compiler: modern, moduleResolution: "node16", module: "node16", skipLibCheck: true, isCommonJs: true },
  { compiler: modern, moduleResolution: "nodenext", module: "nodenext", skipLibCheck: false },
  { compiler: older, moduleResolution: "nodenext", module: "nodenext", skipLibCheck: true },
].map((one) => ({ ...one, version: createRequire(import.meta.url)(`${one.compiler}/package.json`).version }));

let consumer: Consumer;
beforeAll(async () => {
  consumer = await makeTypedConsumer("typed");
});

it("uses every subpath in its program", () => {
  for (const specifier of consumer.specifiers) expect(program).toContain(`from "${specifier}"`);
});

it.each(cases)("compiles with TypeScript $version, $module by $moduleResolution", async (one) => {
  expect(await compile(consumer, one)).toBe("");
});

it("finds type errors, even without any peer installed", async () => {
  const alone = await makeConsumer("lonely", ["@types/node"]);
  await writeProgram(alone, lonely);
  const settings = { module: "nodenext", moduleResolution: "nodenext", skipLibCheck: false };
  for (const { compiler, version } of [cases[0], cases.at(-1)].filter((one) => one !== undefined))
    expect(await compile(alone, { compiler, version, ...settings })).toBe("");
});

it("a limiter of one form has the type that the other form expects", async () => {
  const mixed = await makeConsumer("mixed", ["@types/node"]);
  const required = `
    import { createLimiter } from "headgate";
    const layers = [{ name: "user", key: (user: string) => user, limits: "2/minute" }];
    export const limiter = createLimiter({ name: "chat", layers });`;
  await writeFile(path.join(mixed.folder, "required.cts"), required);
  const program = `
    import { guard, HeadgateError, type Limiter } from "headgate";
    import { rateLimit } from "headgate/fetch";
    import { limiter } from "./required.cjs";
    export const same: Limiter<string> = limiter;
    export const guarded = [guard(limiter, () => 1, { caller: () => "ann" }), rateLimit(limiter, { caller: () => "ann" })];
    export const isKnown = (error: unknown): string => (error instanceof HeadgateError ? error.code : "unknown");`;
  await writeProgram(mixed, program);
  const settings = { module: "nodenext", moduleResolution: "nodenext", skipLibCheck: false };
  for (const { compiler, version } of [cases[0], cases.at(-1)].filter((one) => one !== undefined))
    expect(await compile(mixed, { compiler, version, ...settings })).toBe("");
});
