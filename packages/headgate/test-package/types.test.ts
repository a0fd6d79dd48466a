import { createRequire } from "node:module";
import path from "node:path";
import { beforeAll, expect, it } from "vitest";
import { compile, makeTypedConsumer } from "./compile.ts";
import { type Consumer, installed } from "./consumer.ts";
import { program } from "./program.ts";

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

it("has something of every subpath in its program", () => {
  for (const specifier of consumer.specifiers) expect(program).toContain(`from "${specifier}"`);
});

it.each(cases)("compiles with TypeScript $version, $module by $moduleResolution", async (one) => {
  expect(await compile(consumer, one)).toBe("");
});
