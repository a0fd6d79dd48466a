import { stripVTControlCharacters } from "node:util";

/**
 * @typedef {object} Counts
 * @property {number} passed
 * @property {number} failed
 * @property {number} skipped
 * @property {string[]} [failures] a line for each failed test: its name, and the first line of its error
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
 * @property {VitestFile[]} testResults
 *
 * @typedef {object} VitestFile
 * @property {string} name
 * @property {string} status
 * @property {string} [message]
 * @property {{ status: string, fullName?: string, failureMessages?: string[] }[]} assertionResults
 */
export function countVitest(report) {
  const unloaded = report.testResults.filter(
    (file) => file.status === "failed" && !file.assertionResults.some(({ status }) => status === "failed"),
  );
  const failedTests = report.testResults.flatMap(({ name, assertionResults }) =>
    assertionResults
      .filter(({ status }) => status === "failed")
      .map(({ fullName, failureMessages }) => failureLine([name, fullName], failureMessages?.[0])),
  );
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + unloaded.length,
    skipped: report.numPendingTests + report.numTodoTests,
    failures: [...failedTests, ...unloaded.map(({ name, message }) => failureLine([name], message))],
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
 * @property {{ message?: string }[]} errors
 * @property {PlaywrightSuite[]} [suites]
 *
 * @typedef {object} PlaywrightSuite
 * @property {string} title
 * @property {PlaywrightSuite[]} [suites]
 * @property {{ title: string, tests: PlaywrightTest[] }[]} [specs]
 *
 * @typedef {object} PlaywrightTest
 * @property {string} projectName
 * @property {string} status
 * @property {{ error?: { message?: string } }[]} results
 */
export function countPlaywright({ stats, errors, suites = [] }) {
  return {
    passed: stats.expected,
    // A test that passes only at the second attempt counts as failed.
    failed: stats.unexpected + stats.flaky + errors.length,
    skipped: stats.skipped,
    failures: [
      ...suites.flatMap((suite) => playwrightFailures(suite, [])),
      ...errors.map(({ message }) => failureLine(["outside of any test"], message)),
    ],
  };
}

/**
 * @param {PlaywrightSuite} suite
 * @param {string[]} outer the titles of the suites around it
 * @returns {string[]}
 */
function playwrightFailures({ title, suites = [], specs = [] }, outer) {
  const titles = [...outer, title];
  return [
    ...specs.flatMap((spec) =>
      spec.tests
        .filter(({ status }) => status === "unexpected" || status === "flaky")
        .map(({ projectName, results }) =>
          failureLine(
            [...titles, spec.title, projectName],
            results.find(({ error }) => error)?.error?.message,
          ),
        ),
    ),
    ...suites.flatMap((suite) => playwrightFailures(suite, titles)),
  ];
}

/**
 * @param {(string | undefined)[]} names from the file to the test
 * @param {string | undefined} error
 */
function failureLine(names, error) {
  const [firstLine = ""] = (error ?? "").split("\n");
  const name = names.filter(Boolean).join(" > ");
  return stripVTControlCharacters(firstLine === "" ? name : `${name}: ${firstLine}`).slice(0, 500);
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
