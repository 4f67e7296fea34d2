import { writeFileSync } from "node:fs";
import { setInterval } from "node:timers/promises";
import { parseArgs } from "node:util";
import { startProcesses } from "../../test/support/processes.ts";
import { format } from "../result.ts";
import { busOf, processorShare, type Sample, takeSample, trendOf } from "./memory.ts";
import { createMix, idleMs, live, type Tally } from "./mix.ts";
import { soakPage } from "./report.ts";

const usage = `npm run soak -- [--minutes N] [--report FILE.html]

Puts a fleet under mixed load for an hour, or N minutes, and says whether memory and open files of its processes stayed flat.
`;
const sampleEveryMs = 5_000;
const tellEvery = 12;

const { minutes: wanted, report } = readWords();
const processes = await startProcesses({ agents: [{ siteId: "main", environment: { LONGSHORE_AGENT_IDLE_MS: String(idleMs) } }] });
const parts = { broker: processes.broker.pid, agent: processes.agents[0]?.pid ?? 0, bus: busOf(processes.broker.pid) };
const samples: Sample[] = [];
const tally: Tally = { done: {}, wrong: {} };
const write = (text: string) => process.stdout.write(`${text}\n`);
const interrupted = new AbortController();
process.once("SIGINT", () => interrupted.abort());
try {
  await using mix = await createMix(processes.url);
  const over = AbortSignal.any([AbortSignal.timeout(wanted * 60_000), interrupted.signal]);
  const living = live(mix, tally, over);
  await watchUntil(over);
  await living;
} finally {
  await processes.close();
}
const isFine = tell();
if (report !== undefined) writeFileSync(report, soakPage(samples, tally, new Date()));
process.exitCode = isFine ? 0 : 1;

async function watchUntil(over: AbortSignal): Promise<void> {
  const startMs = performance.now();
  try {
    for await (const _ of setInterval(sampleEveryMs, undefined, { signal: over })) {
      const sample = takeSample((performance.now() - startMs) / 60_000, parts);
      samples.push(sample);
      if (samples.length % tellEvery === 0) write(lineOf(sample));
    }
  } catch (error) {
    if (!over.aborted) throw error;
  }
}

function lineOf({ minutes, mebibytes }: Sample): string {
  const memory = Object.entries(mebibytes).map(([name, value]) => `${name} ${format(value)} MiB`);
  const load = Object.entries(processorShare(parts, minutes)).map(([name, share]) => `${name} ${format(share * 100)} %`);
  const calls = Object.values(tally.done).reduce((sum, count) => sum + count, 0);
  return `${format(minutes)} min: ${memory.join(", ")}; processor: ${load.join(", ")}; ${calls.toLocaleString("en")} done, ${Object.keys(tally.wrong).length} kinds of wrong`;
}

/** True when nothing came that should not have, and nothing grew. */
function tell(): boolean {
  for (const [name, count] of Object.entries(tally.done)) write(`${name}: ${count}`);
  for (const [words, count] of Object.entries(tally.wrong)) write(`WRONG, ${count} times: ${words}`);
  const trends = (["mebibytes", "openFiles"] as const).flatMap((figure) => Object.keys(parts).map((part) => ({ figure, part, trend: trendOf(samples, figure, part) })));
  for (const { figure, part, trend } of trends) write(`${part}, ${figure}: ${format(trend.before)} to ${format(trend.after)}, ${trend.isFlat ? "flat" : "GROWN"}`);
  return Object.keys(tally.wrong).length === 0 && trends.every(({ trend }) => trend.isFlat);
}

function readWords(): { minutes: number; report: string | undefined } {
  try {
    const { values } = parseArgs({ options: { minutes: { type: "string", default: "60" }, report: { type: "string" } } });
    const minutes = Number(values.minutes);
    if (!(minutes >= 1 && minutes <= 7 * 24 * 60)) throw new Error(`Cannot soak for ${JSON.stringify(values.minutes)} minutes: --minutes takes 1 to 10080`);
    return { minutes, report: values.report };
  } catch (error) {
    process.stderr.write(`soak: ${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    process.exit(2);
  }
}
