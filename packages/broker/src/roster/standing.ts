import { oldestProtocolVersion } from "@longshore/protocol";
import type { AgentEntry, Standing } from "./agent-entry.ts";

/** Where an agent stands, by all that is known of it, and why where it is not ready. `isHeard`: within the last heartbeats. */
export function standingOf(agent: AgentEntry, isHeard: boolean): { readonly standing: Standing; readonly detail: string | undefined } {
  if (agent.joined === undefined) return { standing: "refused", detail: "its credential is not known or was revoked" };
  if (agent.joined.siteId !== agent.address.siteId) return { standing: "refused", detail: `it joined at site "${agent.joined.siteId}"` };
  if (agent.incarnations.isDoubled) return { standing: "refused", detail: "two processes use its credential" };
  if (!isHeard) return { standing: "lost", detail: undefined };
  const protocol = agent.introduction?.protocolVersion;
  if (protocol !== undefined && protocol < oldestProtocolVersion) {
    return { standing: "refused", detail: `it speaks protocol ${protocol}; this broker needs ${oldestProtocolVersion} or newer` };
  }
  if (agent.introduction === undefined || agent.capacity === undefined) return { standing: "unknown", detail: undefined };
  return { standing: agent.capacity.state, detail: agent.capacity.detail };
}
