import { setInterval } from "node:timers/promises";
import type { AgentView } from "@longshore/protocol";
import { residentBytes } from "../../../bench/process-usage.ts";
import type { HistoryWriter } from "../history-file.ts";
import type { HistoryEvent } from "../history.ts";
import type { FaultyAgent, FaultyFleet } from "./fleet.ts";
import { ask, documentOf } from "./http.ts";

const everyMs = 1_000;
const memoryEvery = 5;
const patienceMs = 2_000;

/** Looks at a fleet once a second until told to stop, and writes down outboxes, memory, and which agents are known to be away. */
export async function watch(fleet: FaultyFleet, history: HistoryWriter, over: AbortSignal): Promise<void> {
  let turn = 0;
  try {
    for await (const _ of setInterval(everyMs, undefined, { signal: over })) {
      for (const agent of fleet.agents) await writeOutbox(agent, history);
      if (turn++ % memoryEvery === 0) writeMemory(fleet, history);
    }
  } catch (error) {
    if (!over.aborted) throw error;
  }
}

/** What lies in an agent's outbox now. */
export async function writeOutbox({ agentId, outbox, outboxQuotaBytes: quotaBytes }: FaultyAgent, history: HistoryWriter): Promise<void> {
  const { waiting, bytes } = await outbox.read();
  history.write({ event: "outbox", agentId, waiting: [...waiting], bytes, quotaBytes });
}

function writeMemory({ bus, brokers, agents }: FaultyFleet, history: HistoryWriter): void {
  const parts: readonly (readonly [string, number])[] = [["nats", bus.pid], ...brokers.map(({ brokerId, process }) => [brokerId, process.pid] as const), ...agents.map(({ agentId, process }) => [agentId, process.pid] as const)];
  for (const [part, processId] of parts) {
    const bytes = bytesOf(processId);
    if (bytes !== undefined) history.write({ event: "memory", part, processId, bytes });
  }
}

/** Undefined for a process that is gone. */
function bytesOf(processId: number): number | undefined {
  try {
    return residentBytes(processId) || undefined;
  } catch {
    return undefined;
  }
}

/** What some broker says of the agents; empty when none answers. */
export async function askAgents(fleet: FaultyFleet): Promise<readonly AgentView[]> {
  const views = await Promise.any(fleet.brokers.map(async ({ url }) => documentOf(await ask({ method: "GET", url: `${url}/v1/agents`, patienceMs }))["agents"] as AgentView[])).catch(() => []);
  return views;
}

/** Asks once a second which agents are lost, or say that their engine is, and writes down the faults that are known by it. */
export async function notice(fleet: FaultyFleet, history: HistoryWriter, written: readonly HistoryEvent[], over: AbortSignal): Promise<void> {
  const noticed = new Set<string>();
  const faults = new FaultsUnderWay(written);
  try {
    for await (const _ of setInterval(everyMs, undefined, { signal: over })) {
      const away = (await askAgents(fleet)).filter(({ state }) => state === "lost" || state === "unhealthy").map(({ agentId }) => agentId);
      for (const faultId of faults.at(away)) {
        if (noticed.has(faultId)) continue;
        noticed.add(faultId);
        history.write({ event: "noticed", faultId, by: "roster" });
      }
    }
  } catch (error) {
    if (!over.aborted) throw error;
  }
}

/** Faults that began and have not healed, by what was written until now. */
class FaultsUnderWay {
  readonly #written: readonly HistoryEvent[];
  readonly #agents = new Map<string, readonly string[]>();
  #readEvents = 0;

  constructor(written: readonly HistoryEvent[]) {
    this.#written = written;
  }

  /** Those at one of these agents. */
  at(agentIds: readonly string[]): string[] {
    for (; this.#readEvents < this.#written.length; this.#readEvents += 1) {
      const event = this.#written[this.#readEvents];
      if (event?.event === "fault_began") this.#agents.set(event.faultId, event.agentIds ?? []);
      if (event?.event === "fault_healed") this.#agents.delete(event.faultId);
    }
    return [...this.#agents].filter(([, agents]) => agents.some((id) => agentIds.includes(id))).map(([faultId]) => faultId);
  }
}
