import { describe, expect, it } from "vitest";
import { join } from "../../packages/agent/src/join/join.ts";
import { renewCredential } from "../../packages/agent/src/join/renew.ts";
import { ask, echo, HeldOrders } from "../support/exchange-ends.ts";
import { FleetOfHosts } from "../support/fleet-of-hosts.ts";
import { address } from "../support/nats.ts";

const because = (reason: string) => expect.objectContaining({ reason }) as unknown;

describe("a revoked agent", () => {
  it("loses its connection, and cannot come back; its neighbours notice nothing", async () => {
    await using fleet = await FleetOfHosts.start();
    const thief = await fleet.join("thief");
    const neighbour = await fleet.join("neighbour");
    const held = new HeldOrders();
    const stolen = fleet.testBus.agent("plant", "thief", thief.credential, () => renewCredential(thief.dataFolder));
    await stolen.start(held);
    await fleet.testBus.agent("plant", "neighbour", neighbour.credential).start(echo);

    let isOver = false;
    const failures: unknown[] = [];
    const calling = (async () => {
      while (!isOver) {
        const { failed } = await ask(fleet.broker, address("plant", "neighbour"));
        if (failed !== undefined) failures.push(failed);
      }
    })();
    await fleet.identity.revokeAgent("thief");
    await held.until(() => !stolen.connected);
    await expect(fleet.testBus.connection(thief.credential)).rejects.toThrow();
    await expect(renewCredential(thief.dataFolder)).rejects.toThrow(because("not_allowed"));
    expect((await ask(fleet.broker, address("plant", "thief"))).failed).toBe("no_responders");
    isOver = true;
    await calling;
    expect(failures).toEqual([]);
    expect(fleet.identity.agents.get("thief")?.revoked).toBe(true);
  });

  it("stays out after the server was started again", async () => {
    await using fleet = await FleetOfHosts.start();
    const { credential } = await fleet.join("thief");
    await fleet.identity.revokeAgent("thief");
    await fleet.testBus.stopServer();
    await fleet.testBus.startServer();
    await expect(fleet.testBus.connection(credential)).rejects.toThrow();
  });

  it("is not let in again by two brokers that revoke others at the same moment", async () => {
    await using fleet = await FleetOfHosts.start();
    const second = await fleet.anotherIdentity("b2");
    const joined = await Promise.all(["a", "b", "c", "d", "e", "f"].map((name) => fleet.join(name)));
    await Promise.all(joined.map(({ credential }, index) => (index % 2 === 0 ? fleet : second).identity.revokeAgent(credential.agentId)));
    for (const { credential } of joined) await expect(fleet.testBus.connection(credential), credential.agentId).rejects.toThrow();
  });

  it("may be joined again with a new key, under its old name", async () => {
    await using fleet = await FleetOfHosts.start();
    const { dataFolder } = await fleet.join("host");
    await fleet.identity.revokeAgent("host");
    const { token } = await fleet.identity.createToken({ site: "plant", labels: {} });
    await expect(join(token, { hostName: "host", dataFolder })).rejects.toThrow(because("not_allowed"));
    const again = await join(token, { hostName: "host", dataFolder: fleet.newHost() });
    expect(again.agentId).toBe("host");
    await fleet.testBus.connection(again);
  });

  it("is whoever held a name that an operator gives to a new host", async () => {
    await using fleet = await FleetOfHosts.start();
    const former = await fleet.join("anything", { agentId: "press-7" });
    const next = await fleet.join("anything", { agentId: "press-7" });
    await expect(fleet.testBus.connection(former.credential)).rejects.toThrow();
    await fleet.testBus.connection(next.credential);
    await expect(fleet.identity.revokeAgent("nobody")).rejects.toThrow(because("agent_not_found"));
  });
});
