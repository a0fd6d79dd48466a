import { writeSync } from "node:fs";
import { Failure } from "../bootstrap/failure.mjs";
import { prepareInstalled } from "../bootstrap/prepare.mjs";
import { endWithChildren } from "../processes/run.mjs";
import { closingLine, ONE_FAILED, sum } from "../testing/counts.mjs";

/**
 * The time limit of all steps together. A run takes about ten minutes; the limit only ends steps that hang, even on a
 * busy machine.
 */
const ALL_LIMIT_MS = 45 * 60_000;

/**
 * `npm test`: prepares the repository, runs every step even after one has failed, and ends with one line,
 * `N passed, N failed`, and `, N skipped` if any were skipped. Exits with 1 if anything failed.
 */
export async function test() {
  await runSteps(async () => (await import("../testing/steps.mjs")).STEPS, ALL_LIMIT_MS);
}

/**
 * @param {() => Promise<import("../testing/steps.mjs").Step[]>} load called once npm's packages are installed
 * @param {number} allLimitMs the time limit of all steps together
 */
export async function runSteps(load, allLimitMs) {
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
 * @param {() => Promise<import("../testing/steps.mjs").Step[]>} load
 */
async function stepsWhenInstalled(load) {
  try {
    await prepareInstalled();
  } catch (error) {
    console.error(error instanceof Failure ? error.message : error);
    return [{ name: "install", minutes: 0, run: async () => ONE_FAILED }];
  }
  return load();
}

/** @param {number} allLimitMs */
function noTimeLeft(allLimitMs) {
  console.error(`Not run: the time limit of ${allLimitMs / 60_000} minutes for all steps is over.`);
  return ONE_FAILED;
}
