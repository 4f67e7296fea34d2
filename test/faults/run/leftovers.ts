import type { AgentView } from "@longshore/protocol";
import { setTimeout as delay } from "node:timers/promises";
import { labelKeys } from "../../../packages/agent/src/engine/labels.ts";
import type { HistoryWriter } from "../history-file.ts";
import type { Found } from "../history.ts";
import type { FaultyAgent, FaultyFleet } from "./fleet.ts";
import { askAgents } from "./watch.ts";

/**
 * Writes down all containers and networks of the fleet's agents. A ready agent counts as many of a revision as its own as it says that it
 * has, the newest first: what is older is what it forgot.
 */
export async function sweepFor(fleet: FaultyFleet, history: HistoryWriter): Promise<void> {
  const views = await askAgents(fleet);
  const found = await Promise.all(fleet.agents.map(async (agent) => foundOf(agent, views.find((view) => view.agentId === agent.agentId))));
  history.write({ event: "sweep", found: found.flat() });
}

async function foundOf({ agentId, docker }: FaultyAgent, view: AgentView | undefined): Promise<Found[]> {
  const filters = { label: [`${labelKeys.agent}=${agentId}`] };
  const isReady = view?.state === "ready";
  const containers = (await docker.listContainers({ all: true, filters })).sort((a, b) => b.Created - a.Created);
  const networks = await docker.listNetworks({ filters });
  // Functions of two tenants may have revisions of one name.
  const left = new Map<string, number>();
  for (const { revisionId, instances } of view?.functions ?? []) left.set(revisionId, (left.get(revisionId) ?? 0) + instances);
  const own = containers.map(({ Id, Names, Labels }): Found => {
    const revisionId = Labels[labelKeys.revisionId] ?? "";
    const count = left.get(revisionId) ?? 0;
    left.set(revisionId, count - 1);
    return { what: "container", name: Names[0] ?? Id, agentId, ...(isReady && count > 0 && { knownTo: agentId }), invocationIds: [] };
  });
  return [...own, ...networks.map(({ Name }): Found => ({ what: "network", name: Name, agentId, ...(isReady && { knownTo: agentId }), invocationIds: [] }))];
}

const calmEveryMs = 1_000;
const calmForMs = 90_000;

/** What each agent says of its capacity once nothing runs and nothing idles on it, or after a minute and a half. */
export async function writeCapacity(fleet: FaultyFleet, history: HistoryWriter, moment: "before" | "after"): Promise<void> {
  let views = await askAgents(fleet);
  for (let waitedMs = 0; !isCalm(views, fleet) && waitedMs < calmForMs; waitedMs += calmEveryMs) {
    await delay(calmEveryMs);
    views = await askAgents(fleet);
  }
  for (const { agentId, state, capacity } of views) {
    if (state !== "ready") continue;
    const { running, idle, instancesFree, memoryFreeBytes } = capacity;
    history.write({ event: "capacity", agentId, moment, values: { running, idle, instancesFree, memoryFreeBytes } });
  }
}

function isCalm(views: readonly AgentView[], { agents }: FaultyFleet): boolean {
  return views.length === agents.length && views.every(({ state, capacity, functions }) => state === "ready" && capacity.running === 0 && capacity.idle === 0 && functions.every(({ instances, held }) => instances === held));
}
