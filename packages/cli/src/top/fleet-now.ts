import type { AgentView, FleetEvent, History } from "@longshore/protocol";
import { type Activity, addHistory, addRecord, keptSteps, type Step, stepMs } from "./activity.ts";

/** What is known of a fleet now, and of its last minutes. */
export interface FleetNow {
  agents: Map<string, AgentView>;
  /** By function. */
  readonly activities: Map<string, Activity>;
  isCaughtUp: boolean;
  /** Epoch milliseconds: nothing is known of what ended before. */
  sinceMs: number;
  /** When something was heard last. */
  heardMs: number;
  /** Whether the broker has told of what was before. */
  hasHistory: boolean;
}

/** So many functions are kept at most; those that were idle longest give way. */
const mostFunctions = 5_000;

/** Nothing is known yet. */
export function createFleetNow(nowMs: number): FleetNow {
  return { agents: new Map(), activities: new Map(), isCaughtUp: false, sinceMs: nowMs, heardMs: nowMs, hasHistory: false };
}

/** Takes in what happened. */
export function takeEvent(fleet: FleetNow, event: FleetEvent, nowMs: number): void {
  fleet.heardMs = nowMs;
  switch (event.event) {
    case "agent":
      fleet.agents.set(event.agent.agentId, event.agent);
      return;
    case "agent_gone":
      fleet.agents.delete(event.agentId);
      return;
    case "caught_up":
      fleet.isCaughtUp = true;
      return;
    case "invocation":
      addRecord(activityOf(fleet, event.record.functionName), event.record, nowMs);
      return;
    case "function":
      if (event.deleted === true) fleet.activities.delete(event.name);
  }
}

/** Takes in every agent that there is: of those that went while the connection was broken nothing is told. */
export function takeAgents(fleet: FleetNow, agents: readonly AgentView[]): void {
  fleet.agents = new Map(agents.map((agent) => [agent.agentId, agent]));
}

/** Takes in what a broker kept of before. */
export function takeHistory(fleet: FleetNow, { functions, fromMs, untilMs, stepMs: historyStepMs }: History, nowMs: number): void {
  if (historyStepMs !== stepMs) return;
  fleet.hasHistory = true;
  fleet.sinceMs = Math.min(fleet.sinceMs, fromMs);
  for (const { name, points } of functions) addHistory(activityOf(fleet, name), points, untilMs, nowMs);
}

function activityOf({ activities }: FleetNow, name: string): Activity {
  const activity: Activity = activities.get(name) ?? new Map<number, Step>();
  // Those that moved last stand last.
  activities.delete(name);
  activities.set(name, activity);
  const [idle] = activities.keys();
  if (activities.size > mostFunctions && idle !== undefined) activities.delete(idle);
  return activity;
}

/** How far back a history is asked for, in milliseconds. */
export const historyMs = keptSteps * stepMs;
