import { type AgentAddress, decodeFrame, decodeJson, heartbeatSchema, introductionSchema, parseAgentSubject } from "@longshore/protocol";
import type { FleetHandlers } from "./bus.ts";

/**
 * Reads what an agent publishes unasked and hands it on. What is not well formed, or speaks for another than its subject names,
 * throws: the subject alone proves who speaks.
 */
export function deliverFleetMessage(subject: string, data: Uint8Array, handlers: FleetHandlers): void {
  const parsed = parseAgentSubject(subject);
  if (parsed === undefined) throw new Error("not an agent's subject");
  const from: AgentAddress = { siteId: parsed.siteId, agentId: parsed.agentId };
  switch (parsed.verb) {
    case "heartbeat":
      handlers.heartbeat(from, own(from, heartbeatSchema.parse(decodeJson(data))));
      return;
    case "introduction":
      handlers.introduction(from, own(from, introductionSchema.parse(decodeJson(data))));
      return;
    case "orphan":
      handlers.orphan(from, decodeFrame(data));
      return;
    case "outcome":
      handlers.outcome(from, decodeFrame(data));
      return;
    default:
      throw new Error("no message of that kind is known");
  }
}

function own<T extends { readonly agentId: string; readonly siteId: string }>(from: AgentAddress, message: T): T {
  if (message.agentId !== from.agentId || message.siteId !== from.siteId) throw new Error("the message names another agent than its subject");
  return message;
}
