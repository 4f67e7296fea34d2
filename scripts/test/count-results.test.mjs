import { describe, expect, test } from "vitest";
import { countResults, formatCounts } from "./count-results.mjs";

const file = (/** @type {string} */ status, /** @type {string[]} */ ...tests) => ({
  name: "a.test.ts",
  status,
  assertionResults: tests.map((test) => ({ status: test })),
});

describe("countResults()", () => {
  test("adds up the tests of all files", () => {
    const report = { testResults: [file("passed", "passed", "skipped"), file("failed", "failed", "failed", "passed", "todo")] };
    expect(countResults(report, 1)).toEqual({ passed: 2, failed: 2, skipped: 2, problem: undefined });
  });

  test("counts a file that did not load as one failure", () => {
    expect(countResults({ testResults: [file("failed"), file("passed", "passed")] }, 1)).toMatchObject({ passed: 1, failed: 1, skipped: 0 });
  });

  test("counts an unhandled error outside every test as one failure", () => {
    const results = countResults({ testResults: [file("passed", "passed")] }, 1);
    expect(results).toEqual({ passed: 1, failed: 1, skipped: 0, problem: "No test failed, and vitest ended with code 1" });
  });

  test.each([undefined, { testResults: [] }, { testResults: [file("passed", "skipped")] }])("takes a run without a test for a failure: %j", (report) => {
    expect(countResults(report, 0)).toMatchObject({ failed: 1, problem: "No test ran" });
  });
});

test("formatCounts() names skipped tests only when there are some", () => {
  expect(formatCounts({ passed: 3, failed: 0, skipped: 0 })).toBe("3 passed, 0 failed");
  expect(formatCounts({ passed: 3, failed: 1, skipped: 2 })).toBe("3 passed, 1 failed, 2 skipped");
});
