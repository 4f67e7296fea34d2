import type { AgentId, Labels, SiteId } from "@longshore/protocol";

/** An agent as its joining bound it: by an operator's word, not by what the agent says. */
export interface JoinedAgent {
  readonly agentId: AgentId;
  readonly siteId: SiteId;
  readonly labels: Labels;
  readonly cordoned: boolean;
  /** With its key, RFC 3339; another host may have had its name before. Absent: nobody knows. */
  readonly joinedAt?: string | undefined;
}

/** A site as an operator set it. */
export interface JoinedSite {
  readonly siteId: SiteId;
  readonly regions: readonly string[];
  /** Tenants that may use it; absent: all. */
  readonly tenants?: readonly string[] | undefined;
}

/** Who has joined and where; what the roster and placement need of identity. */
export interface Joined {
  agent(agentId: AgentId): JoinedAgent | undefined;
  agents(): Iterable<JoinedAgent>;
  site(siteId: SiteId): JoinedSite | undefined;
  sites(): Iterable<JoinedSite>;
  /** Told the agent that joined, changed or was revoked; undefined when a site changed. */
  onChange(handler: (agentId: AgentId | undefined) => void): void;
}
