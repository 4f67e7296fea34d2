import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { cold, coldLambda, coldPlain, coldStatic } from "./benches/cold.ts";
import { neighbours, takeOver } from "./benches/backlog.ts";
import { burst } from "./benches/burst.ts";
import { consolePage } from "./benches/console.ts";
import { idle } from "./benches/idle.ts";
import { overload } from "./benches/overload.ts";
import { accept, drainQueue } from "./benches/queue.ts";
import { resume } from "./benches/resume.ts";
import { scale } from "./benches/scale.ts";
import { stdio } from "./benches/stdio.ts";
import { stream } from "./benches/stream.ts";
import { traces } from "./benches/traces.ts";
import { throughput, warm, warmHttp } from "./benches/warm.ts";
import { type BenchResult, format } from "./result.ts";
import { reportPage } from "./report.ts";
import { type Rig, startRig } from "./rig.ts";
import { changeOf, readRun, runOf, saveRun } from "./saved-run.ts";

/** Every bench by its name: `npm run bench -- NAME` runs one, without a name all. */
const benches: Record<string, (rig: Rig) => Promise<BenchResult>> = {
  idle, // First: what it asks is what a fleet costs that has done nothing yet.
  warm,
  "warm-http": warmHttp,
  throughput,
  traces,
  cold,
  "cold-static": coldStatic,
  "cold-plain": coldPlain,
  "cold-lambda": coldLambda,
  stdio,
  burst,
  resume,
  stream,
  accept,
  "drain-queue": drainQueue,
  neighbours,
  "take-over": takeOver,
  overload,
  scale,
  console: consolePage,
};

const usage = `npm run bench -- [NAME…] [--json] [--report FILE.html] [--save FILE.json] [--against FILE.json]

NAME: ${Object.keys(benches).join(", ")}; all of them by default
--report   writes the figures as a page, with their distributions
--save     writes them to be compared with later
--against  says how each ratio stands to that of a saved run
--json     prints the results as JSON on the last line
`;

const { names, asJson, report, save, before } = readWords();
const write = (text: string) => process.stdout.write(`${text}\n`);
const columns = (cells: readonly string[]) => cells.map((cell, index) => cell.padEnd([13, 9, 12, 12, 9, 26, 6, 8][index] ?? 0)).join(" ").trimEnd();

const rig = await startRig();
const results: BenchResult[] = [];
try {
  write(columns(["bench", "ratio", "ours", "reference", "unit", "goal", "met", ...(before === undefined ? [] : ["change"])]));
  for (const name of names) {
    const result = await benches[name]?.(rig);
    if (result === undefined) continue;
    results.push(result);
    write(columns([result.name, format(result.ratio), format(result.ours), format(result.reference), result.unit, result.goal, result.met ? "yes" : "no", changeOf(result, before)]));
    for (const [label, ratio] of Object.entries(result.ratios ?? {})) write(`  against ${label}: ${format(ratio)}`);
    for (const [label, figure] of Object.entries(result.besides ?? {})) write(`  ${label}: ${figure}`);
  }
} finally {
  await rig.close();
}
const run = runOf(results, new Date());
if (save !== undefined) saveRun(save, run);
if (report !== undefined) writeFileSync(report, reportPage(run, before));
if (asJson) {
  const lines = results.map(({ figures: _, ...result }) => result);
  write(JSON.stringify(lines.length === 1 ? lines[0] : lines));
}

function readWords() {
  try {
    const options = { json: { type: "boolean" }, report: { type: "string" }, save: { type: "string" }, against: { type: "string" } } as const;
    const { values, positionals } = parseArgs({ options, allowPositionals: true });
    const unknown = positionals.find((name) => !Object.hasOwn(benches, name));
    if (unknown !== undefined) throw new Error(`Cannot run ${JSON.stringify(unknown)}: there is no bench of that name`);
    const names = positionals.length > 0 ? positionals : Object.keys(benches);
    return { names, asJson: values.json === true, report: values.report, save: values.save, before: values.against === undefined ? undefined : readRun(values.against) };
  } catch (error) {
    process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    process.exit(2);
  }
}
