import { createFleet, type Fleet } from "@longshore/sdk";
import { type BrokerProcess, startProcesses } from "../../test/support/processes.ts";
import { clerkImage } from "../images.ts";
import { quantile } from "../measure.ts";
import { type TrialResult, until, untilTime } from "./trial.ts";

const minutes = 4;
/** How long a killed broker stays away. */
const awayMs = 15_000;
const name = "clerk";

/** A schedule of every second with three brokers, of which one is killed each minute, and comes back: each due time must have one invocation, run once. */
export async function schedule(): Promise<TrialResult> {
  await using processes = await startProcesses({ brokers: 3, separateBus: true, agents: [{ siteId: "main", environment: { LONGSHORE_AGENT_HELD_MAX: "0" } }] });
  const brokers: BrokerProcess[] = [...processes.brokers];
  const asking = async <T>(ask: (fleet: Fleet) => Promise<T>): Promise<T> => {
    await using fleet = createFleet({ url: brokers[0]?.url ?? "", transport: "http" });
    return await ask(fleet);
  };
  await asking(async (fleet) => fleet.deploy({ name, image: await clerkImage(), contract: "http", port: 8080, concurrency: 16, memoryBytes: 96 * 2 ** 20 }));
  const { createdAt } = await asking((fleet) => fleet.schedules.set({ name: "ticks", function: name, everyMs: 1_000, missed: "all" }));
  const beganMs = Date.parse(createdAt);
  for (let minute = 0; minute < minutes; minute += 1) {
    await untilTime(beganMs + minute * 60_000 + 20_000);
    const [victim] = brokers.splice(0, 1);
    await victim?.kill();
    await untilTime(Date.now() + awayMs);
    if (victim !== undefined) brokers.push(await victim.restart());
  }
  await untilTime(beganMs + minutes * 60_000 + 500);
  await asking((fleet) => fleet.schedules.remove("ticks"));
  await until("all have a record", 60_000, () => asking(async (fleet) => (await recordsOf(fleet)).every((state) => state === "finished")));

  const records = await asking(recordsOf);
  const runs = await asking(runsOf);
  const numbers = runs.map(({ dueMs }) => (dueMs - beganMs) / 1_000);
  const missing = Array.from({ length: minutes * 60 }, (_, index) => index + 1).filter((number) => !numbers.includes(number));
  const late = runs.map(({ atMs, dueMs }) => atMs - dueMs);
  const figures = {
    "brokers killed": minutes,
    "due times": minutes * 60,
    "  with no run": missing.length,
    "runs": runs.length,
    "  of a due time that had one": runs.length - new Set(numbers).size,
    "records": records.length,
    "late, median and most": `${Math.round(quantile(late, 0.5))} and ${Math.round(Math.max(...late))} ms`,
  };
  return { figures, isRight: missing.length === 0 && new Set(numbers).size === runs.length && records.length === runs.length && numbers.every(Number.isInteger) };
}

async function recordsOf(fleet: Fleet): Promise<string[]> {
  const states: string[] = [];
  for (const wanted of ["pending", "finished"] as const) for await (const { state } of fleet.invocations.each({ function: name, state: wanted })) states.push(state);
  return states;
}

/** When it was run, and for which due time, by what it wrote. */
async function runsOf(fleet: Fleet): Promise<{ readonly dueMs: number; readonly atMs: number }[]> {
  const runs: { dueMs: number; atMs: number }[] = [];
  for await (const { line, at } of fleet.logs(name, { tail: 10_000 })) if (line.startsWith("due ")) runs.push({ dueMs: Date.parse(line.slice("due ".length)), atMs: Date.parse(at) });
  return runs;
}
