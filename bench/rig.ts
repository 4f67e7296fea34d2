import { createFleet, type Fleet } from "@longshore/sdk";
import type { NatsConnection } from "@nats-io/nats-core";
import { connectAsBroker } from "../test/support/connect-as-broker.ts";
import { startProcesses } from "../test/support/processes.ts";

/** The fleet that benches run against: NATS, one broker and two agents, each in a process of its own, on one real engine. */
export interface Rig {
  readonly fleet: Fleet;
  /** Base address of the broker. */
  readonly url: string;
  /** The bus, for the bare relay: a plain NATS server of its own with the same settings but no accounts. */
  readonly processIds: { readonly broker: number; readonly agent: number };
  /** Deploys an image and resolves once an agent of the site holds an instance (or, with `held: 0`, has the image). */
  deployReady(document: Parameters<Fleet["deploy"]>[0], siteId: string, held: number): Promise<string>;
  /** Resolves when the function has that many held instances and none begun at the site. */
  waitHeld(revisionId: string, siteId: string, held: number): Promise<void>;
  /** A plain connection of the brokers' own account. */
  connectToBus(): Promise<NatsConnection>;
  close(): Promise<void>;
}

/** `main` holds instances as agents do by default; `plain` never holds, for the figures of a plain start. */
export async function startRig(): Promise<Rig> {
  const processes = await startProcesses({ agents: [{ siteId: "main" }, { siteId: "plain", environment: { LONGSHORE_AGENT_HELD_MAX: "0" } }] });
  const fleet = createFleet({ url: processes.url });

  const waitHeld: Rig["waitHeld"] = async (revisionId, siteId, held) => {
    for await (const event of fleet.watch()) {
      if (event.event !== "agent" || event.agent.siteId !== siteId) continue;
      const capacity = event.agent.functions.find((entry) => entry.revisionId === revisionId);
      if (capacity !== undefined && capacity.held >= held) return;
    }
  };

  return {
    fleet,
    url: processes.url,
    processIds: { broker: processes.broker.pid, agent: processes.agents[0]?.pid ?? 0 },
    async deployReady(document, siteId, held) {
      const answer = await fleet.deploy({ ...document, placement: { sites: [siteId] } });
      await waitHeld(answer.function.revisionId, siteId, held);
      return answer.function.revisionId;
    },
    waitHeld,
    connectToBus: () => connectAsBroker(processes.busCredentials),
    async close() {
      await fleet.close();
      await processes.close();
    },
  };
}
