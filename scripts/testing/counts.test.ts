import { describe, expect, it } from "vitest";
import { closingLine, countPlaywright, countRun, countVitest, sum } from "./counts.mjs";

const passed = { status: "passed" };
const failed = { status: "failed" };

function vitestReport(
  counts: { passed?: number; failed?: number; pending?: number; todo?: number },
  files = [passed],
) {
  return {
    numPassedTests: counts.passed ?? 0,
    numFailedTests: counts.failed ?? 0,
    numPendingTests: counts.pending ?? 0,
    numTodoTests: counts.todo ?? 0,
    testResults: files.map(({ status }) => ({
      name: "a.test.ts",
      status,
      assertionResults: [] as { status: string }[],
    })),
  };
}

describe("counting a Vitest report", () => {
  it("counts skipped and todo tests as skipped", () => {
    expect(countVitest(vitestReport({ passed: 7, failed: 2, pending: 3, todo: 1 }))).toEqual({
      passed: 7,
      failed: 2,
      skipped: 4,
      failures: [],
    });
  });

  it("counts a file that could not be loaded as one failed test", () => {
    expect(countVitest(vitestReport({ passed: 7 }, [passed, failed]))).toMatchObject({
      passed: 7,
      failed: 1,
    });
  });

  it("does not count a file again if its tests failed", () => {
    const report = vitestReport({ passed: 1, failed: 1 });
    report.testResults = [{ name: "a.test.ts", status: "failed", assertionResults: [passed, failed] }];
    expect(countVitest(report)).toMatchObject({ passed: 1, failed: 1 });
  });
});

describe("naming failures", () => {
  it("names each failed test of a Vitest report, and each file that could not be loaded, with its error", () => {
    const report = {
      ...vitestReport({ passed: 1, failed: 1 }),
      testResults: [
        {
          name: "a.test.ts",
          status: "failed",
          assertionResults: [
            passed,
            {
              ...failed,
              fullName: "a limit refuses",
              failureMessages: ["\u001b[31mexpected 5\u001b[39m\n  at …"],
            },
          ],
        },
        { name: "b.test.ts", status: "failed", message: "No such file", assertionResults: [] },
      ],
    };
    expect(countVitest(report).failures).toEqual([
      "a.test.ts > a limit refuses: expected 5",
      "b.test.ts: No such file",
    ]);
  });

  it("names each failed test of a Playwright report, and each error outside of tests", () => {
    const report = {
      stats: { expected: 1, unexpected: 1, flaky: 0, skipped: 0 },
      errors: [{ message: "No browser\n  at …" }],
      suites: [
        {
          title: "a.spec.ts",
          suites: [
            {
              title: "a notice",
              specs: [
                {
                  title: "counts",
                  tests: [
                    {
                      projectName: "phone",
                      status: "unexpected",
                      results: [{ error: { message: "Timeout" } }],
                    },
                  ],
                },
                { title: "ends", tests: [{ projectName: "phone", status: "expected", results: [{}] }] },
              ],
            },
          ],
        },
      ],
    };
    expect(countPlaywright(report).failures).toEqual([
      "a.spec.ts > a notice > counts > phone: Timeout",
      "outside of any test: No browser",
    ]);
  });
});

describe("counting a Playwright report", () => {
  it("counts a test that passed at the second attempt, and an error outside of tests, as failed", () => {
    const stats = { expected: 5, unexpected: 1, flaky: 1, skipped: 2 };
    expect(countPlaywright({ stats, errors: [{}] })).toMatchObject({ passed: 5, failed: 3, skipped: 2 });
  });
});

describe("counting a run", () => {
  const allPassed = { passed: 3, failed: 0, skipped: 0 };

  it.each([
    ["uses the runner's report", allPassed, true, allPassed],
    ["counts a failure if there is no report", undefined, true, { passed: 0, failed: 1, skipped: 0 }],
    [
      "counts a failure if nothing ran",
      { passed: 0, failed: 0, skipped: 2 },
      true,
      { passed: 0, failed: 1, skipped: 2 },
    ],
    [
      "counts a failure if the runner failed, whatever it reported",
      allPassed,
      false,
      { passed: 3, failed: 1, skipped: 0 },
    ],
    [
      "counts reported failures once",
      { passed: 3, failed: 2, skipped: 0 },
      false,
      { passed: 3, failed: 2, skipped: 0 },
    ],
  ])("%s", (_, reported, hasSucceeded, expected) => {
    expect(countRun(reported, hasSucceeded)).toEqual(expected);
  });
});

describe("the closing line", () => {
  it("adds up all steps", () => {
    const total = sum([
      { passed: 1, failed: 0, skipped: 0 },
      { passed: 40, failed: 2, skipped: 3 },
    ]);
    expect(closingLine(total)).toBe("41 passed, 2 failed, 3 skipped");
  });

  it("does not mention skipped tests if there are none", () => {
    expect(closingLine({ passed: 12, failed: 0, skipped: 0 })).toBe("12 passed, 0 failed");
  });
});
