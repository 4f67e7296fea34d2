import { setImmediate } from "node:timers/promises";
import { jwtAuthenticator, type Msg, type NatsConnection } from "@nats-io/nats-core";
import { connect } from "@nats-io/transport-node";
import { type AgentAddress, type AgentId, agentInbound, brokerPermissions, parseAgentSubject, type SiteId } from "@longshore/protocol";
import type { AgentBus } from "../../../packages/agent/src/bus/bus.ts";
import { createAgentBusOver, type OpenLink } from "../../../packages/agent/src/bus/nats.ts";
import type { EmbeddedBus } from "../../../packages/broker/src/embedded/server.ts";
import { loadOrCreateKeys } from "../../../packages/broker/src/embedded/keys.ts";
import { userJwt } from "../../../packages/broker/src/identity/claims.ts";
import { createNkey } from "../../../packages/broker/src/identity/nkey.ts";
import { silentLog } from "../silent-log.ts";

/** An agent's line on a switchboard. */
export interface Line {
  readonly bus: AgentBus;
  /** Nothing comes or goes on it any more, and the server does not know: as when a machine loses its power. */
  cut(): void;
}

/**
 * One connection to a bus that speaks for any number of agents, by a credential that only tests have: it may say what every agent
 * may. All else about an agent's bus is the agent's own code.
 */
export class Switchboard implements AsyncDisposable {
  readonly #connection: NatsConnection;
  readonly #lines = new Map<AgentId, (message: Msg) => void>();
  readonly #sites = new Set<SiteId>();
  /** Runs that were sent to agents whose line is cut, by when they came (`performance.now()`). */
  readonly unheardRunsAtMs: number[] = [];

  private constructor(connection: NatsConnection) {
    this.#connection = connection;
  }

  /** Connects to an embedded bus, whose keys lie in `folder`. */
  static async to({ access }: Pick<EmbeddedBus, "access">, folder: string): Promise<Switchboard> {
    const key = createNkey("user");
    const permissions = { pub: { allow: [brokerPermissions.subscribe] }, sub: { allow: [brokerPermissions.publish] } };
    const jwt = userJwt(loadOrCreateKeys(folder).fleetAccount, { name: "switchboard", publicKey: key.publicKey }, permissions);
    const connection = await connect({ servers: [...access.servers], authenticator: jwtAuthenticator(jwt, new TextEncoder().encode(key.seed)), reconnect: false, noAsyncTraces: true });
    return new Switchboard(connection);
  }

  /** A line for an agent, in place of the one it had. */
  line(agent: AgentAddress): Line {
    let ends: Parameters<OpenLink>[0] | undefined;
    const receive = (message: Msg) => ends?.receive(message);
    const hangUp = () => {
      if (this.#lines.get(agent.agentId) === receive) this.#lines.delete(agent.agentId);
      ends?.changed(undefined);
      ends = undefined;
    };
    const openLink: OpenLink = (given) => ({
      start: () => {
        ends = given;
        this.#listenAt(agent.siteId);
        this.#lines.set(agent.agentId, receive);
        given.changed(this.#connection);
        return Promise.resolve();
      },
      close: () => {
        hangUp();
        return Promise.resolve();
      },
    });
    return { bus: createAgentBusOver(openLink, agent, silentLog), cut: hangUp };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await setImmediate(); // What was published in this turn goes out at its end.
    await this.#connection.drain();
  }

  /** One subscription for all of a site's agents: where none of them is on the switchboard, the server is to know who is there. */
  #listenAt(siteId: SiteId): void {
    if (this.#sites.has(siteId)) return;
    this.#sites.add(siteId);
    this.#connection.subscribe(agentInbound({ siteId, agentId: "*" as AgentId }), {
      callback: (error, message) => {
        if (error === null) this.#receive(message);
      },
    });
  }

  #receive(message: Msg): void {
    const { agentId, verb } = parseAgentSubject(message.subject) ?? {};
    const receive = agentId === undefined ? undefined : this.#lines.get(agentId);
    if (receive !== undefined) receive(message);
    else if (verb === "run") this.unheardRunsAtMs.push(performance.now());
  }
}
