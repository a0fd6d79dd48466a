import { writeSync } from "node:fs";
import { Failure } from "../bootstrap/failure.mjs";
import { prepareInstalled } from "../bootstrap/prepare.mjs";
import { endWithChildren } from "../processes/run.mjs";
import { closingLine, ONE_FAILED, sum } from "../testing/counts.mjs";

/** For all steps together. A run takes some ten minutes; this only ends what hangs, on a busy machine too. */
const ALL_LIMIT_MS = 45 * 60_000;

/**
 * `npm test`: prepares the repository, runs every step even after one has failed, and ends with one line,
 * `N passed, N failed`, and `, N skipped` when some were. Exits with 1 unless nothing failed.
 */
export async function test() {
  await runSteps(async () => (await import("../testing/steps.mjs")).STEPS, ALL_LIMIT_MS);
}

/**
 * @param {() => Promise<import("../testing/steps.mjs").Step[]>} load is called once what npm installs is there
 * @param {number} allLimitMs for all steps together
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
  }
  // Written at once: nothing may come after it.
  writeSync(process.stdout.fd, `\n${closingLine(total)}\n`);
  process.exit(total.failed === 0 ? 0 : 1);
}

/**
 * The steps are run with what npm installs.
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
  console.error(`Not run: the ${allLimitMs / 60_000} minutes for all steps are over.`);
  return ONE_FAILED;
}
