import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { checkHistory } from "../checker.ts";
import { linesOf } from "../checked-lines.ts";
import { type FaultKind, faultKinds } from "../fault-kinds.ts";
import { faultReport } from "../report.ts";
import { type Pace, paces } from "./load.ts";
import { runFaults } from "./run-faults.ts";

const usage = `npm run faults -- [--minutes N] [--seed S] [--rate R] [--pace mixed|brief] [--kinds A,B] [--history FILE.jsonl] [--report FILE.html]

Puts a fleet of this machine under load and breaks it, part by part, as the seed says, for 10 minutes or N; then heals it, and holds all that happened
against what is promised. Exits with 0 when nothing was violated, 1 when something was, 2 when it cannot read its words.
`;

const write = (text: string) => process.stdout.write(`${text}\n`);
const words = readWords();
const history = await runFaults({ ...words, ratePerSecond: words.rate, historyFile: words.history, tell: write });
const checked = checkHistory(history);
write(linesOf(checked).join("\n"));
if (words.report !== undefined) writeFileSync(words.report, faultReport(history, checked));
process.exit(checked.isClean ? 0 : 1);

function readWords() {
  try {
    const { values } = parseArgs({
      options: { minutes: { type: "string", default: "10" }, seed: { type: "string", default: String(Date.now() % 1_000_000) }, rate: { type: "string", default: "4" }, pace: { type: "string", default: "mixed" }, kinds: { type: "string" }, history: { type: "string" }, report: { type: "string" } },
    });
    const { history: historyFile, report } = values;
    return { minutes: number("minutes", values.minutes, 0.2, 10_080), seed: number("seed", values.seed, 0, 2 ** 31), rate: number("rate", values.rate, 0.1, 1_000), pace: readPace(values.pace), kinds: readKinds(values.kinds), history: historyFile, report };
  } catch (error) {
    process.stderr.write(`faults: ${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    process.exit(2);
  }
}

function number(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (!(value >= least && value <= most)) throw new Error(`Cannot take ${JSON.stringify(text)}: --${name} takes ${least} to ${most}`);
  return value;
}

function readPace(text: string): Pace {
  const pace = paces.find((known) => known === text);
  if (pace === undefined) throw new Error(`Cannot take ${JSON.stringify(text)}: --pace takes one of ${paces.join(", ")}`);
  return pace;
}

function readKinds(text: string | undefined): FaultKind[] | undefined {
  const strange = text?.split(",").find((word) => !(faultKinds as readonly string[]).includes(word));
  if (strange !== undefined) throw new Error(`Cannot break by ${JSON.stringify(strange)}: --kinds takes of ${faultKinds.join(", ")}`);
  return text?.split(",") as FaultKind[] | undefined;
}
