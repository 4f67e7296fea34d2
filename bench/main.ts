import { cold, coldLambda, coldPlain, coldStatic } from "./benches/cold.ts";
import { stdio } from "./benches/stdio.ts";
import { throughput, warm, warmHttp } from "./benches/warm.ts";
import { type BenchResult, format } from "./result.ts";
import { type Rig, startRig } from "./rig.ts";

/** Every bench by its name: `npm run bench -- NAME` runs one, without a name all. */
const benches: Record<string, (rig: Rig) => Promise<BenchResult>> = {
  warm,
  "warm-http": warmHttp,
  throughput,
  cold,
  "cold-static": coldStatic,
  "cold-plain": coldPlain,
  "cold-lambda": coldLambda,
  stdio,
};

const args = process.argv.slice(2);
const asJson = args.includes("--json");
const names = args.filter((argument) => !argument.startsWith("--"));
const unknown = names.find((name) => !Object.hasOwn(benches, name));
if (unknown !== undefined) {
  process.stderr.write(`bench: Cannot run "${unknown}": it is none of ${Object.keys(benches).join(", ")}\n`);
  process.exit(2);
}

const write = (text: string) => process.stdout.write(`${text}\n`);
const columns = (cells: readonly string[]) => cells.map((cell, index) => cell.padEnd([13, 9, 12, 12, 9, 24, 6][index] ?? 0)).join(" ").trimEnd();

const rig = await startRig();
const results: BenchResult[] = [];
try {
  write(columns(["bench", "ratio", "ours", "reference", "unit", "goal", "met"]));
  for (const name of names.length > 0 ? names : Object.keys(benches)) {
    const result = await benches[name]?.(rig);
    if (result === undefined) continue;
    results.push(result);
    write(columns([result.name, format(result.ratio), format(result.ours), format(result.reference), result.unit, result.goal, result.met ? "yes" : "no"]));
    for (const [label, ratio] of Object.entries(result.ratios ?? {})) write(`  against ${label}: ${format(ratio)}`);
    for (const [label, figure] of Object.entries(result.besides ?? {})) write(`  ${label}: ${figure}`);
  }
} finally {
  await rig.close();
}
if (asJson) write(JSON.stringify(results.length === 1 ? results[0] : results));
