/**
 * What a run of vitest came to.
 * @typedef {{ passed: number, failed: number, skipped: number }} Counts
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
 * @returns {Counts}
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
  const hasRun = counts.passed + counts.failed > 0;
  if (counts.failed === 0 && (exitCode !== 0 || !hasRun)) counts.failed = 1;
  return counts;
}

/** The closing line. @param {Counts} counts */
export function formatCounts({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}
