import { writeSync } from "node:fs";
import { Failure } from "../bootstrap/failure.mjs";
import { prepareInstalled } from "../bootstrap/prepare.mjs";
import { endWithChildren } from "../processes/run.mjs";
import { closingLine, ONE_FAILED, sum } from "../testing/counts.mjs";

/** @typedef {import("../testing/steps.mjs").Step} Step */

const loadTest = async () => (await import("../testing/steps.mjs")).STEPS;
const loadSoak = async () => (await import("../testing/soak-steps.mjs")).SOAK_STEPS;
const loadRuntimes = async () => (await import("../testing/runtimes-steps.mjs")).RUNTIMES_STEPS;

/**
 * What `npm test` runs, and with a word after it, `npm run test:soak`, `npm run test:runtimes` and `.ci/run`. The time
 * limit is that of all steps together: it only ends steps that hang, even on a busy machine.
 *
 * @type {Record<string, { minutes: number, load: (() => Promise<Step[]>)[] }>}
 */
const RUNS = {
  test: { minutes: 45, load: [loadTest] },
  soak: { minutes: 60, load: [loadSoak] },
  runtimes: { minutes: 30, load: [loadRuntimes] },
  // CI ends a run after 90 minutes.
  all: { minutes: 80, load: [loadTest, loadSoak, loadRuntimes] },
};

/**
 * Prepares the repository, runs every step even after one has failed, and ends with one line, `N passed, N failed`, and
 * `, N skipped` if any were skipped. Exits with 1 if anything failed.
 *
 * @param {string[]} words a name in `RUNS`
 */
export async function test([which = "test"]) {
  const run = Object.hasOwn(RUNS, which) ? RUNS[which] : undefined;
  if (run === undefined) {
    const known = Object.keys(RUNS).join(", ");
    console.error(`There is no run "${which}": name ${known}. To run single tests, use npx vitest.`);
    process.exit(1);
  }
  const { minutes, load } = run;
  const allLimitMs = minutes * 60_000;
  endWithChildren();
  const startedMs = performance.now();
  const results = [];
  for (const step of await stepsWhenInstalled(load)) {
    console.log(`\n── ${step.name} ──`);
    const stepStartedMs = performance.now();
    const leftMs = allLimitMs - (stepStartedMs - startedMs);
    const counts =
      leftMs > 0 ? await step.run(Math.min(step.minutes * 60_000, leftMs)) : noTimeLeft(allLimitMs);
    results.push({ name: step.name, counts, seconds: (performance.now() - stepStartedMs) / 1_000 });
  }

  const total = sum([...results.map(({ counts }) => counts)]);
  console.log("");
  for (const { name, counts, seconds } of results) {
    const ran = counts.passed + counts.failed;
    console.log(
      `${counts.failed > 0 ? "✗" : "✓"} ${name}: ${counts.passed} of ${ran}, in ${seconds.toFixed(1)} s`,
    );
    for (const failure of counts.failures ?? []) console.log(`    ${failure}`);
  }
  // Written synchronously, so that it is the last line.
  writeSync(process.stdout.fd, `\n${closingLine(total)}\n`);
  process.exit(total.failed === 0 ? 0 : 1);
}

/**
 * Installs the packages, then loads the steps, which need them.
 *
 * @param {(() => Promise<Step[]>)[]} load
 * @returns {Promise<Step[]>}
 */
async function stepsWhenInstalled(load) {
  try {
    await prepareInstalled();
  } catch (error) {
    console.error(error instanceof Failure ? error.message : error);
    return [{ name: "install", minutes: 0, run: async () => ONE_FAILED }];
  }
  return (await Promise.all(load.map((each) => each()))).flat();
}

/** @param {number} allLimitMs */
function noTimeLeft(allLimitMs) {
  console.error(`Not run: the time limit of ${allLimitMs / 60_000} minutes for all steps is over.`);
  return ONE_FAILED;
}
