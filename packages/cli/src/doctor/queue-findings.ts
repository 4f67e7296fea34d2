import type { QueueAgent, QueueView } from "@longshore/protocol";
import { formatDuration } from "../terminal/quantity.ts";
import { type Finding, ok, warn } from "./finding.ts";

/** So long what could begin may wait before it is worth a word. */
const longWaitMs = 60_000;

/** Looks at accepted work, and at whether bus, brokers and agents say the same of it; a text is why no broker told. */
export function judgeQueue(queue: QueueView | string): readonly Finding[] {
  if (typeof queue === "string") return [warn("queue", queue, "a broker of this version has to be reached, with a key where one is needed (LONGSHORE_KEY)")];
  return [judgeCounts(queue), ...judgeOldest(queue), ...judgeOverdue(queue), ...judgeDeadLetters(queue), ...judgeBrokers(queue), ...queue.agents.flatMap(judgeAgent)];
}

function judgeCounts({ waiting, delayed, withAgents }: QueueView): Finding {
  return ok("queue", `${waiting} waiting, ${delayed} not due yet, ${withAgents} with agents`);
}

function judgeOldest({ oldestWaiting }: QueueView): readonly Finding[] {
  if (oldestWaiting === undefined) return [];
  const { functionName, invocationId, sinceMs, why } = oldestWaiting;
  const found = `${invocationId} of ${functionName} for ${formatDuration(sinceMs)}: ${why}`;
  return [sinceMs < longWaitMs ? ok("oldest", found) : warn("oldest", found, "give the fleet what it waits for (agents, room, labels, the image), or cancel it: DELETE /v1/invocations/ID")];
}

function judgeOverdue({ overdue }: QueueView): readonly Finding[] {
  if (overdue === 0) return [];
  return [warn("overdue", `${overdue} that no broker ended in time, without a record yet`, "brokers end them within a minute; what stays was written by a newer version: upgrade the brokers")];
}

function judgeDeadLetters({ deadLetters }: QueueView): readonly Finding[] {
  if (deadLetters === 0) return [];
  return [ok("dead letters", `${deadLetters} that did not succeed: GET /v1/dead-letters, to be submitted again or deleted`)];
}

function judgeBrokers({ brokers, partitions }: QueueView): readonly Finding[] {
  const shares = brokers.map(({ brokerId, partitions: own }) => `${brokerId} tries ${own}`).join(", ");
  const owned = brokers.reduce((sum, { partitions: own }) => sum + own, 0);
  const unreadable = brokers.reduce((sum, broker) => sum + broker.unreadable, 0);
  const unconfirmed = brokers.reduce((sum, broker) => sum + broker.unconfirmed, 0);
  return [
    owned === partitions ? ok("partitions", shares) : warn("partitions", `${owned} of ${partitions}: ${shares}`, "brokers share them anew within three seconds of one that came or went: look again; if it stays, restart the broker that others do not name"),
    ...(unconfirmed === 0 ? [] : [ok("unconfirmed", `${unconfirmed} sent to agents that have not said yet that they have them`)]),
    ...(unreadable === 0 ? [] : [warn("unreadable", `${unreadable} that a broker cannot read: another version wrote them`, "upgrade the brokers; what no version reads stays, and delays nobody else")]),
  ];
}

function judgeAgent(agent: QueueAgent): readonly Finding[] {
  const name = `agent ${agent.agentId}`;
  const { believed, running, waiting, missing = 0, unknown = 0, unreadable = 0 } = agent;
  if (agent.revoked && believed > 0) return [warn(name, `revoked, with ${believed} attempts`, "they end as lost once their own time limits are over")];
  if (!agent.heard && believed > 0) return [warn(name, `not heard, with ${believed} attempts`, "bring it back, and it tells what became of them; after an hour beyond their time they are lost. If it is gone for good: longshore agent revoke")];
  if (running === undefined || waiting === undefined) return believed === 0 ? [] : [warn(name, `does not say what it has of ${believed} attempts`, "look again; its log says what keeps it")];
  const found = `${believed} attempts believed there; it has ${running} running, ${waiting} ended and not yet stored`;
  if (missing > 0) return [warn(name, `${found}; ${missing} of them it has not`, "it is asked within seconds, and they are tried again; if it stays, its log and the brokers' say why")];
  if (unknown > 0) return [warn(name, `${found}; ${unknown} that no broker believes there`, "look again; if it stays they ended otherwise meanwhile, and their results will count for nothing")];
  if (unreadable > 0) return [warn(name, `${found}; of ${unreadable} it can read neither start nor result`, "check its disk; they are lost an hour after their time")];
  return believed + running + waiting === 0 ? [] : [ok(name, found)];
}
