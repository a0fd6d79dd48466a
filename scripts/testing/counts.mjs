/**
 * @typedef {object} Counts
 * @property {number} passed
 * @property {number} failed
 * @property {number} skipped
 */

/** @type {Counts} */
export const ONE_PASSED = { passed: 1, failed: 0, skipped: 0 };
/** @type {Counts} */
export const ONE_FAILED = { passed: 0, failed: 1, skipped: 0 };

/**
 * @param {Counts[]} counts
 * @returns {Counts}
 */
export function sum(counts) {
  return counts.reduce((total, { passed, failed, skipped }) => ({
    passed: total.passed + passed,
    failed: total.failed + failed,
    skipped: total.skipped + skipped,
  }));
}

/**
 * Returns the last line of a test run.
 *
 * @param {Counts} counts
 */
export function closingLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}

/**
 * Reads a report of Vitest's JSON reporter. A file that could not be loaded counts as one failed test.
 *
 * @param {VitestReport} report
 * @returns {Counts}
 *
 * @typedef {object} VitestReport
 * @property {number} numPassedTests
 * @property {number} numFailedTests
 * @property {number} numPendingTests
 * @property {number} numTodoTests
 * @property {{ status: string, assertionResults: { status: string }[] }[]} testResults
 */
export function countVitest(report) {
  const unloaded = report.testResults.filter(
    (file) => file.status === "failed" && !file.assertionResults.some(({ status }) => status === "failed"),
  );
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + unloaded.length,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

/**
 * Reads a report of Playwright's JSON reporter. An error outside of any test counts as a failed one.
 *
 * @param {PlaywrightReport} report
 * @returns {Counts}
 *
 * @typedef {object} PlaywrightReport
 * @property {{ expected: number, unexpected: number, flaky: number, skipped: number }} stats
 * @property {unknown[]} errors
 */
export function countPlaywright({ stats, errors }) {
  return {
    passed: stats.expected,
    // A test that passes only at the second attempt counts as failed.
    failed: stats.unexpected + stats.flaky + errors.length,
    skipped: stats.skipped,
  };
}

/**
 * Combines a runner's report with its exit code. A runner that ran no tests, or that failed for a reason outside its
 * report, has failed.
 *
 * @param {Counts | undefined} reported `undefined` if there is no readable report
 * @param {boolean} hasSucceeded
 * @returns {Counts}
 */
export function countRun(reported, hasSucceeded) {
  if (!reported) return ONE_FAILED;
  const ranNothing = reported.passed + reported.failed === 0;
  const hasFailedUncounted = !hasSucceeded && reported.failed === 0;
  return ranNothing || hasFailedUncounted ? sum([reported, ONE_FAILED]) : reported;
}
