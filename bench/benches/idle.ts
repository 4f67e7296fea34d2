import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";
import { processorSeconds, residentBytes } from "../process-usage.ts";
import { type BenchResult, compare, format } from "../result.ts";
import type { Rig } from "../rig.ts";

const watchedMs = 10_000;
const mebibyte = 2 ** 20;

/** `idle`: memory and processor time of a broker and an agent with nothing to do, against a bare Node process with the same libraries loaded. */
export async function idle(rig: Rig): Promise<BenchResult> {
  const bare = spawn(process.execPath, [join(import.meta.dirname, "../idle/bare.ts")], { stdio: ["ignore", "pipe", "inherit"] });
  await once(createInterface({ input: bare.stdout }), "line");
  const ids = { broker: rig.processIds.broker, agent: rig.processIds.agent };
  const before = { broker: processorSeconds([ids.broker]), agent: processorSeconds([ids.agent]) };
  await setTimeout(watchedMs); // What is measured is that nothing happens.
  const share = (name: "broker" | "agent") => ((processorSeconds([ids[name]]) - before[name]) / watchedMs) * 100_000;
  const shares = { broker: share("broker"), agent: share("agent") };
  const memory = { broker: residentBytes(ids.broker) / mebibyte, agent: residentBytes(ids.agent) / mebibyte, bare: residentBytes(bare.pid ?? 0) / mebibyte };
  await end(bare);
  const larger = Math.max(memory.broker, memory.agent);
  const result = compare("idle", "MiB", [larger], { bare: [memory.bare] }, { bound: 1.5, better: "lower" }, {
    memory: `broker ${format(memory.broker)}, agent ${format(memory.agent)} MiB`,
    processor: `broker ${format(shares.broker)} %, agent ${format(shares.agent)} % of a core`,
  });
  return { ...result, goal: "≤ 1.5; ≤ 0.5 % of a core", met: result.met && Math.max(shares.broker, shares.agent) <= 0.5 };
}

async function end(child: ChildProcess): Promise<void> {
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  await ended;
}
