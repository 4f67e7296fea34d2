import { type AgentId, agentIdSchema, type AgentList, type AgentPageQuery, type AgentView, LongshoreError, parseName, type SiteView } from "@longshore/protocol";
import type { Logger } from "pino";
import { pageOf } from "../page.ts";
import type { AgentEntry } from "./agent-entry.ts";
import type { Asker } from "./ask-agent.ts";
import type { Joined } from "./joined.ts";
import type { Roster } from "./roster.ts";
import { agentView, type NameRevision, siteViews } from "./views.ts";

/** What an operator's word changes of an agent, kept where all brokers read it. */
export interface AgentSettings {
  setCordoned(agentId: AgentId, cordoned: boolean): Promise<unknown>;
  /** Takes its credential back. */
  revoke(agentId: AgentId): Promise<void>;
}

export interface FleetOperationsOptions {
  readonly roster: Roster;
  readonly joined: Joined;
  readonly settings: AgentSettings;
  readonly asker: Asker;
  readonly nameRevision: NameRevision;
  readonly log: Logger;
}

/** An agent answers that it takes no new work, or works again, within that time. */
const answerMs = 10_000;
/** Beyond its deadline a drain takes the time that instances need to stop. */
const drainMarginMs = 60_000;

/** What operators see of agents and sites, and do with them. */
export class FleetOperations {
  readonly #options: FleetOperationsOptions;

  constructor(options: FleetOperationsOptions) {
    this.#options = options;
  }

  /** The agents that have joined, and those that are heard and refused, by name; of one site, or all. */
  agents({ site, ...page }: AgentPageQuery): AgentList {
    const all = this.#options.roster.byName();
    const wanted = site === undefined ? all : all.filter(({ address }) => address.siteId === site);
    const { items, next } = pageOf(wanted, ({ address }) => address.agentId, page);
    return { agents: items.map((agent) => agentView(agent, this.#options.nameRevision)), next };
  }

  sites(): SiteView[] {
    return siteViews(this.#options.joined.sites(), this.#options.roster.agents());
  }

  /** Takes an agent out of placement, or back into it and undoes a drain. Throws `agent_not_found`. */
  async cordon(name: string, cordoned: boolean): Promise<AgentView> {
    const agent = this.#find(name);
    await this.#options.settings.setCordoned(agent.address.agentId, cordoned);
    if (!cordoned && agent.standing === "draining") await this.#options.asker.ask(agent.address, { ask: "resume" }, { silenceMs: answerMs });
    return { ...agentView(agent, this.#options.nameRevision), cordoned };
  }

  /** Cordons an agent and has it finish and stop; answers at once, its state tells when it is done. Throws `agent_not_found`. */
  async drain(name: string, { deadlineMs }: { readonly deadlineMs: number }): Promise<AgentView> {
    const agent = this.#find(name);
    await this.#options.settings.setCordoned(agent.address.agentId, true);
    this.#options.asker.ask(agent.address, { ask: "drain", deadlineMs }, { silenceMs: deadlineMs + drainMarginMs }).catch((err: unknown) => {
      this.#options.log.warn({ err, agentId: agent.address.agentId }, "agent did not drain");
    });
    return { ...agentView(agent, this.#options.nameRevision), cordoned: true };
  }

  /** Takes an agent's credential back, at once. Throws `agent_not_found`. */
  async revoke(name: string): Promise<void> {
    await this.#options.settings.revoke(this.#find(name).address.agentId);
  }

  #find(name: string): AgentEntry {
    const agentId = parseName(agentIdSchema, name, "agent");
    const agent = this.#options.roster.get(agentId);
    if (agent?.joined === undefined) throw new LongshoreError("agent_not_found", `Cannot find agent "${agentId}"`);
    return agent;
  }
}
