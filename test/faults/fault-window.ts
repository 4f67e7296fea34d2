import type { Fault, Story } from "./arrange.ts";
import type { FaultEffects } from "./fault-kinds.ts";
import { faultEffects } from "./fault-kinds.ts";

/** A stretch of time, milliseconds, and who was concerned in it. */
export interface Concerned {
  readonly story: Story;
  readonly fromMs: number;
  readonly toMs: number;
  /** The agent that it is about; absent: every agent that began the invocation. */
  readonly agentId?: string | undefined;
}

/** Faults that may have had to do with it: at that time, or so shortly before that they had not died away, and on its way. */
export function faultsOver(faults: readonly Fault[], concerned: Concerned, aftermathMs: number): Fault[] {
  return faults.filter((fault) => fault.fromMs <= concerned.toMs && fault.toMs + aftermathMs >= concerned.fromMs && touches(fault, concerned));
}

/** What may truly be said because of these faults. */
export function effectsOf(faults: readonly Fault[]): FaultEffects {
  const all = faults.map(({ began }) => faultEffects[began.kind]);
  return { outcomes: all.flatMap(({ outcomes }) => outcomes), reasons: all.flatMap(({ reasons }) => reasons) };
}

function touches({ began: { agentIds, brokerIds } }: Fault, { story, agentId }: Concerned): boolean {
  const agents = agentId === undefined ? story.runs.map(({ began }) => began.agentId) : [agentId];
  // What was never placed may have missed any agent; accepted work goes through any broker.
  const isOnItsAgents = agentIds === undefined || agents.length === 0 || agents.some((each) => agentIds.includes(each));
  const isOnItsBroker = brokerIds === undefined || story.terms.mode === "async" || story.submissions.some(({ brokerId }) => brokerIds.includes(brokerId));
  return isOnItsAgents && isOnItsBroker;
}
