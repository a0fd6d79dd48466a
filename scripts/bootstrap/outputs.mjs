import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { run } from "../processes/run.mjs";
import { Failure } from "./failure.mjs";
import { fingerprint } from "./fingerprint.mjs";
import { nodeProgram } from "./install.mjs";
import { inRepository, PROGRAMS, ROOT, withPrograms } from "./workspace.mjs";

/**
 * @typedef {object} Output
 * @property {string} name as in "Building the page"
 * @property {string} folder removed before it is built again
 * @property {string[]} inputs files and folders
 * @property {string} program
 * @property {string[]} words
 */

const NOT_INPUT = /(^|\/)(node_modules|dist)$|\.test(-d)?\.tsx?$/;

/** What is built, in this order. @type {Output[]} */
const OUTPUTS = [
  {
    name: "the library",
    folder: "packages/headgate/dist",
    inputs: ["packages/headgate", "tsconfig.base.json", "package-lock.json"],
    program: "node",
    words: ["packages/headgate/build.ts"],
  },
  {
    name: "the replay command",
    folder: "packages/headgate-server/dist",
    // Typed by the library's build, which comes first.
    inputs: ["packages/headgate-server", "packages/headgate", "tsconfig.base.json", "package-lock.json"],
    program: "tsc",
    words: ["-p", "packages/headgate-server/tsconfig.build.json"],
  },
  {
    name: "the operator console",
    folder: "packages/headgate-console/dist",
    // Made from the library's build, which comes first.
    inputs: ["packages/headgate-console", "packages/headgate", "tsconfig.base.json", "package-lock.json"],
    program: "node",
    words: ["packages/headgate-console/build.ts"],
  },
  {
    name: "the service",
    folder: "apps/chat/server/dist",
    // Made from the builds of the library, the console and the replay, which come first.
    inputs: [
      "apps/chat/bundle.ts",
      "apps/chat/server",
      "apps/chat/contract.ts",
      "apps/chat/tax",
      "apps/chat/package.json",
      "packages/headgate",
      "packages/headgate-console",
      "packages/headgate-server",
      "tsconfig.base.json",
      "package-lock.json",
    ],
    program: "node",
    words: ["apps/chat/bundle.ts"],
  },
  {
    name: "the page",
    folder: "apps/chat/web/dist",
    // The page is bundled from the library's sources, not from its build.
    inputs: [
      "apps/chat/web",
      "apps/chat/contract.ts",
      "apps/chat/tax",
      "packages/headgate",
      "tsconfig.base.json",
      "package-lock.json",
    ],
    program: "vite",
    words: ["build", "--config", "apps/chat/web/vite.config.ts", "--logLevel", "warn"],
  },
];

/** Builds take seconds, so a build that takes this long hangs. */
const BUILD_LIMIT_MS = 5 * 60_000;

/** @returns {Output[]} the outputs that were never built, or whose inputs have changed since */
export function staleOutputs() {
  return OUTPUTS.filter((output) => {
    const stamp = stampFile(output);
    return !existsSync(stamp) || readFileSync(stamp, "utf8") !== fingerprintOf(output);
  });
}

/**
 * @param {Output} output
 * @throws {Failure} with the builder's output
 */
export async function build(output) {
  const inputs = fingerprintOf(output);
  rmSync(inRepository(output.folder), { recursive: true, force: true });
  const {
    code,
    signal,
    output: said,
  } = await run(output.program === "node" ? nodeProgram() : `${PROGRAMS}/${output.program}`, output.words, {
    env: { ...withPrograms(process.env), NODE_ENV: "production" },
    keepOutput: true,
    limitMs: BUILD_LIMIT_MS,
  });
  if (code !== 0) {
    const command = [output.program, ...output.words].join(" ");
    throw new Failure(
      `${said.trimEnd()}\n\n${command} exited with ${code ?? signal}: ${output.name} was not built.`,
    );
  }
  // Record the inputs as of the start, so that a change during the build leads to another build.
  writeFileSync(stampFile(output), inputs);
}

/** @param {Output} output */
function fingerprintOf(output) {
  return fingerprint(ROOT, output.inputs, (path) => !NOT_INPUT.test(path));
}

/** @param {Output} output */
function stampFile(output) {
  return inRepository(output.folder, ".built-from");
}
