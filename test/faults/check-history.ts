import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { checkHistory } from "./checker.ts";
import { linesOf } from "./checked-lines.ts";
import { readHistory } from "./history-file.ts";
import { faultReport } from "./report.ts";

const usage = `node test/faults/check-history.ts HISTORY.jsonl [--report FILE.html]

Holds a recorded history against the invariants. Exits with 0 when none is violated, 1 when one is, 2 when it cannot read its words or the history.
`;

try {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { report: { type: "string" } } });
  const [path] = positionals;
  if (path === undefined || positionals.length > 1) throw new Error("Cannot check: one history is to be named");
  const history = readHistory(path);
  const checked = checkHistory(history);
  process.stdout.write(`${linesOf(checked).join("\n")}\n`);
  if (values.report !== undefined) writeFileSync(values.report, faultReport(history, checked));
  process.exitCode = checked.isClean ? 0 : 1;
} catch (error) {
  process.stderr.write(`check-history: ${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
  process.exitCode = 2;
}
