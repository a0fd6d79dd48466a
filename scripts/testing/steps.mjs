import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { Failure } from "../bootstrap/failure.mjs";
import { prepareBuilt } from "../bootstrap/prepare.mjs";
import { inRepository, PROGRAMS, withPrograms } from "../bootstrap/workspace.mjs";
import { run } from "../processes/run.mjs";
import { findChromium, findFirefox } from "./browser.mjs";
import { countPlaywright, countRun, countVitest, ONE_FAILED, ONE_PASSED } from "./counts.mjs";
import { testEnvironment } from "./environment.mjs";
import { requireForTests } from "./requirements.mjs";

/** @typedef {import("./counts.mjs").Counts} Counts */

/**
 * @typedef {object} Step
 * @property {string} name
 * @property {number} minutes how long it may take
 * @property {(limitMs: number) => Promise<Counts>} run prints its progress, and never throws
 */

/** The report's path, as set in apps/chat/e2e/playwright.config.ts. */
const PLAYWRIGHT_REPORT = "test-results/playwright.json";

/** `npm test`, in this order. A check counts as one test; a test runner counts its own. @type {Step[]} */
export const STEPS = [
  task("requirements", 6, requireForTests),
  check("format and lint", 2, "biome", ["check", "--error-on-warnings"]),
  check("unused code", 2, "knip", []),
  check("types: library", 2, "tsc", ["-p", "packages/headgate"]),
  check("types: server of the library", 2, "tsc", ["-p", "packages/headgate-server"]),
  check("types: console", 2, "tsc", ["-p", "packages/headgate-console"]),
  check("types: service", 2, "tsc", ["-p", "apps/chat"]),
  check("types: page", 2, "tsc", ["-p", "apps/chat/web"]),
  check("types: scripts", 2, "tsc", ["-p", "scripts"]),
  check("types: examples", 2, "tsc", ["-p", "examples"]),
  check("types: bench", 2, "tsc", ["-p", "bench"]),
  task("build", 5, prepareBuilt),
  vitest("unit and integration tests", 30, undefined),
  ...(hasSpecs("apps/chat/e2e")
    ? [
        runner(
          "end-to-end tests",
          20,
          "playwright",
          ["test", "--config", "apps/chat/e2e/playwright.config.ts"],
          PLAYWRIGHT_REPORT,
          countPlaywright,
        ),
      ]
    : []),
];

/**
 * @param {string} name
 * @param {number} minutes
 * @param {() => Promise<void>} work
 * @returns {Step}
 */
export function task(name, minutes, work) {
  return {
    name,
    minutes,
    async run() {
      try {
        await work();
        return ONE_PASSED;
      } catch (error) {
        console.error(error instanceof Failure ? error.message : error);
        return ONE_FAILED;
      }
    },
  };
}

/**
 * @param {string} name
 * @param {number} minutes
 * @param {string} program
 * @param {string[]} words
 * @returns {Step}
 */
export function check(name, minutes, program, words) {
  return {
    name,
    minutes,
    run: async (limitMs) => ((await runProgram(program, words, limitMs)) ? ONE_PASSED : ONE_FAILED),
  };
}

/**
 * @param {string} name
 * @param {number} minutes
 * @param {string | undefined} config `undefined` takes the repository's own
 * @returns {Step}
 */
export function vitest(name, minutes, config) {
  const report = `test-results/vitest-${name.replace(/[^a-z0-9]+/gi, "-")}.json`;
  const words = ["run", "--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  if (config !== undefined) words.push(`--config=${config}`);
  return runner(name, minutes, "vitest", words, report, countVitest);
}

/**
 * Runs a step if the packages that it needs are installed. Otherwise it fails silently, because the step that installs
 * them has reported the reason.
 *
 * @param {import("../bootstrap/side-workspace.mjs").SideWorkspace} needed
 * @param {Step} step
 * @returns {Step}
 */
export function onceInstalled(needed, step) {
  return { ...step, run: async (limitMs) => (needed.isInstalled() ? step.run(limitMs) : ONE_FAILED) };
}

/**
 * @template Report
 * @param {string} name
 * @param {number} minutes
 * @param {string} program
 * @param {string[]} words
 * @param {string} reportFile
 * @param {(report: Report) => Counts} count
 * @returns {Step}
 */
function runner(name, minutes, program, words, reportFile, count) {
  return {
    name,
    minutes,
    async run(limitMs) {
      const report = inRepository(reportFile);
      rmSync(report, { force: true });
      mkdirSync(path.dirname(report), { recursive: true });
      const hasSucceeded = await runProgram(program, words, limitMs);
      return countRun(read(report, count), hasSucceeded);
    },
  };
}

/**
 * @template Report
 * @param {string} file
 * @param {(report: Report) => Counts} count
 * @returns {Counts | undefined} `undefined` if the report is missing or incomplete
 */
function read(file, count) {
  try {
    return count(JSON.parse(readFileSync(file, "utf8")));
  } catch (error) {
    console.error(`Cannot read the report ${file}: ${error}`);
    return undefined;
  }
}

/**
 * @param {string} program
 * @param {string[]} words
 * @param {number} limitMs
 */
async function runProgram(program, words, limitMs) {
  const env = withPrograms({
    ...testEnvironment(process.env),
    // Looked up here and not at load time, because it may have been installed since.
    CHROMIUM_PATH: findChromium(process.env),
    FIREFOX_PATH: findFirefox(process.env),
  });
  const { code, signal, isOverdue, output } = await run(`${PROGRAMS}/${program}`, words, { env, limitMs });
  if (code === 0) return true;
  const how = isOverdue
    ? `was stopped after ${Math.round(limitMs / 1_000)} s`
    : `exited with ${code ?? signal ?? output}`;
  console.error(`${[program, ...words].join(" ")} ${how}`);
  return false;
}

/** @param {string} folder */
function hasSpecs(folder) {
  if (!existsSync(inRepository(folder))) return false;
  return readdirSync(inRepository(folder), { recursive: true }).some((name) =>
    /\.spec\.tsx?$/.test(String(name)),
  );
}
