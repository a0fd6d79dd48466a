import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { beforeAll, expect, it } from "vitest";
import { compile, makeTypedConsumer, writeProgram } from "../packages/headgate/test-package/compile.ts";
import { type Consumer, makeConsumer } from "../packages/headgate/test-package/consumer.ts";
import { lonely } from "../packages/headgate/test-package/lonely-program.ts";

/** Every compiler version before the repository's own, which `npm test` uses. */
const compilers = [54, 55, 56, 57, 58, 59, 60].map((minor) => {
  const name = minor === 59 ? "typescript" : `typescript${minor}`;
  const compiler = fileURLToPath(new URL(`node_modules/${name}`, import.meta.url));
  const { version } = createRequire(import.meta.url)(`${compiler}/package.json`) as { version: string };
  return { compiler, version, isLimit: minor === 54 || minor === 59 };
});
const usual = [
  { module: "nodenext", moduleResolution: "nodenext" },
  { module: "nodenext", moduleResolution: "nodenext", isCommonJs: true },
  { module: "esnext", moduleResolution: "bundler" },
];
/** For the oldest compiler, and for the last that supports `node10`. */
const others = [
  { module: "node16", moduleResolution: "node16" },
  { module: "node16", moduleResolution: "node16", isCommonJs: true },
  { module: "commonjs", moduleResolution: "node10" },
];
const cases = compilers.flatMap((one) =>
  [...usual, ...(one.isLimit ? others : [])].map((by) => ({ isCommonJs: false, ...one, ...by })),
);

let alone: Consumer;
let accompanied: Consumer;
beforeAll(async () => {
  alone = await makeConsumer("typed-alone", ["@types/node"]);
  await writeProgram(alone, lonely);
  accompanied = await makeTypedConsumer("typed-before");
});

it("uses TypeScript 5.4 to 6.0", () => {
  const versions = compilers.map(({ version }) => version.split(".", 2).join("."));
  expect(versions).toEqual(["5.4", "5.5", "5.6", "5.7", "5.8", "5.9", "6.0"]);
});

it.each(cases)(
  "TypeScript $version, $module by $moduleResolution, CommonJS: $isCommonJs: every declaration, without peers",
  async (one) => {
    expect(await compile(alone, { ...one, skipLibCheck: false })).toBe("");
  },
);

it.each(cases.filter(({ moduleResolution }) => moduleResolution !== "node16"))(
  "TypeScript $version, $module by $moduleResolution, CommonJS: $isCommonJs: every subpath, with all peers",
  async (one) => {
    expect(await compile(accompanied, { ...one, skipLibCheck: true })).toBe("");
  },
);

// This also checks the declarations of every peer, which takes minutes, so it runs only two compilers.
it.each(
  cases.filter(
    ({ module, isCommonJs, isLimit, version }) =>
      module === "nodenext" && !isCommonJs && (isLimit || version.startsWith("6.")),
  ),
)("TypeScript $version, $module by $moduleResolution: every declaration, with all peers", async (one) => {
  expect(await compile(accompanied, { ...one, skipLibCheck: false })).toBe("");
});
