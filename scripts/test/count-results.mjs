/**
 * What a run of vitest came to.
 * @typedef {{ passed: number, failed: number, skipped: number }} Counts
 * `problem` says what failed where no test tells.
 * @typedef {Counts & { problem: string | undefined }} Results
 *
 * The part we read of what vitest's JSON reporter writes.
 * @typedef {object} VitestReport
 * @property {{ name: string, status: string, assertionResults: { status: string }[] }[]} testResults one for each file
 */

/**
 * Counts tests. A file that failed without a failed test (it did not load, or a hook threw) is one failure, and so is a run that ended
 * badly without either (an unhandled error), wrote no report, or held no test at all.
 * @param {VitestReport | undefined} report
 * @param {number} exitCode of vitest
 * @returns {Results}
 */
export function countResults(report, exitCode) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const file of report?.testResults ?? []) {
    const statuses = file.assertionResults.map((test) => test.status);
    counts.passed += statuses.filter((status) => status === "passed").length;
    const failed = statuses.filter((status) => status === "failed").length;
    counts.failed += file.status === "failed" ? Math.max(failed, 1) : failed;
    counts.skipped += statuses.filter((status) => status !== "passed" && status !== "failed").length;
  }
  if (counts.failed > 0) return { ...counts, problem: undefined };
  if (counts.passed === 0) return { ...counts, failed: 1, problem: "No test ran" };
  return exitCode === 0 ? { ...counts, problem: undefined } : { ...counts, failed: 1, problem: `No test failed, and vitest ended with code ${exitCode}` };
}

/** The closing line. @param {Counts} counts */
export function formatCounts({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}
