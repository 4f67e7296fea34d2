import { type AgentId, agentIdSchema, labelsSchema, LongshoreError, siteIdSchema } from "@longshore/protocol";
import type { Logger } from "pino";
import { z } from "zod";
import type { Store } from "../bus/bus.ts";
import { Documents } from "./documents.ts";

const agentSchema = z.object({
  agentId: agentIdSchema,
  siteId: siteIdSchema,
  /** Set by the operator at join; facts of the host come with its introduction. */
  labels: labelsSchema,
  /** The agent's nkey, `U…`. */
  publicKey: z.string(),
  joinedAt: z.string(),
  /** When its latest credential was signed. */
  issuedAt: z.string(),
  /** Out of placement, by an operator's word. */
  cordoned: z.boolean(),
  /** Its credential was taken back: no broker works with it. */
  revoked: z.boolean(),
});
/** An agent as it joined; what it is and does comes by heartbeat. */
export type JoinedAgent = z.infer<typeof agentSchema>;

/** Every agent that joined, mirrored in memory. */
export class Agents {
  readonly documents: Documents<JoinedAgent>;

  constructor(store: Store, log: Logger) {
    this.documents = new Documents({ store, name: "agents", schema: agentSchema, log });
  }

  start(): Promise<void> {
    return this.documents.start();
  }

  close(): void {
    this.documents.close();
  }

  get(agentId: string): JoinedAgent | undefined {
    return this.documents.peek(agentId);
  }

  list(): JoinedAgent[] {
    return [...this.documents.values()];
  }

  /** Told of every agent that joins, changes or is removed. */
  onChange(handler: (agentId: string, agent: JoinedAgent | undefined) => void): void {
    this.documents.onChange(handler);
  }

  /** Takes an agent out of placement, or back; throws `agent_not_found`. */
  async setCordoned(agentId: AgentId, cordoned: boolean): Promise<JoinedAgent> {
    return this.update(agentId, (agent) => ({ ...agent, cordoned }));
  }

  /** Changes an agent that exists; throws `agent_not_found`. */
  async update(agentId: AgentId, change: (agent: JoinedAgent) => JoinedAgent): Promise<JoinedAgent> {
    const agent = await this.documents.change(agentId, (known) => (known === undefined ? undefined : change(known)));
    if (agent === undefined) throw new LongshoreError("agent_not_found", `Cannot find agent "${agentId}"`);
    return agent;
  }

  /** The agent that holds a key. */
  holderOf(publicKey: string): JoinedAgent | undefined {
    return this.list().find((agent) => agent.publicKey === publicKey);
  }

  /** An id for a new agent, from its host's name: that name, or the first free one with a number behind it. */
  chooseId(hostName: string): AgentId {
    const base = hostName.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-").replaceAll(/^-+|-+$/g, "").slice(0, 56).replace(/-+$/, "") || "agent";
    for (let count = 1; ; count += 1) {
      const agentId = (count === 1 ? base : `${base}-${count}`) as AgentId;
      const holder = this.get(agentId);
      if (holder === undefined || holder.revoked) return agentId;
    }
  }
}
