import { fileURLToPath } from "node:url";
import { createFleet } from "@longshore/sdk";
import { startProcesses, startProgram } from "../../test/support/processes.ts";
import { countingImage } from "../images.ts";
import type { TrialResult } from "./trial.ts";

const count = 10_000;
const name = "mapped";
const caller = fileURLToPath(new URL("./map-caller.ts", import.meta.url));

/** A caller maps 10,000 inputs and is killed half way; another one takes the same map up again, and has every answer, of which each was run once. */
export async function map(): Promise<TrialResult> {
  await using processes = await startProcesses({ brokers: 2, separateBus: true, agents: [{ siteId: "main", environment: { LONGSHORE_AGENT_HELD_MAX: "0" } }] });
  await using fleet = createFleet({ url: processes.url, transport: "http" });
  await fleet.deploy({ name, image: await countingImage(), contract: "http", port: 8080, concurrency: 128, maxInstancesPerAgent: 1, memoryBytes: 128 * 2 ** 20 });

  const killed = startProgram([caller, processes.brokers[0]?.url ?? "", name, String(count)]);
  const before = new Set<number>();
  while (before.size < count / 2) before.add(indexOf(await killed.lines.next()));
  await killed.process.kill();

  const resumed = startProgram([caller, processes.brokers[1]?.url ?? "", name, String(count)]);
  const startedMs = performance.now();
  const after = new Map<number, string>();
  let last = "";
  for (last = await resumed.lines.next(); !last.startsWith("{\"done\""); last = await resumed.lines.next()) after.set(indexOf(last), last);
  const tookMs = performance.now() - startedMs;
  await resumed.process.ended;
  const { accepted, failed, residentBytes } = JSON.parse(last) as { accepted: number; failed: number; residentBytes: number };

  const runs = Number(await (await fleet.call(name, "", { path: "/count" })).text());
  const wrong = Array.from({ length: count }, (_, index) => after.get(index) !== JSON.stringify({ index, value: `input ${index}` })).filter(Boolean).length;
  const figures = {
    "answers that the killed caller had": before.size,
    "answers that the next one had": after.size,
    "  of them missing or wrong": wrong,
    "  told to have failed": failed,
    "runs of all": runs,
    "the next one took": `${(tookMs / 1_000).toFixed(1)} s`,
    "  and at most": `${Math.round(residentBytes / 2 ** 20)} MiB`,
  };
  return { figures, isRight: after.size === count && accepted === count && wrong === 0 && failed === 0 && runs === count };
}

const indexOf = (line: string) => (JSON.parse(line) as { index: number }).index;
