import { createAgent, resolveAgentConfig } from "@longshore/agent";
import type { FunctionDocument } from "@longshore/protocol";
import { join } from "node:path";
import { leftOf } from "../support/agent-engine.ts";
import { agentContract } from "../support/agent-contract.ts";
import { FleetOfHosts } from "../support/fleet-of-hosts.ts";
import { laboratoryFunction } from "../support/functions.ts";
import { address, TestBus } from "../support/nats.ts";
import { silentLog } from "../support/silent-log.ts";
import { SimulatedAgent } from "../support/simulated/agent.ts";
import { Switchboard } from "../support/simulated/switchboard.ts";

agentContract("The agent, on a real engine,", async (heard) => {
  const hosts = await FleetOfHosts.start();
  const bus = await hosts.testBus.broker("b2", heard);
  const { dataFolder, credential } = await hosts.join("contract");
  const agent = createAgent(resolveAgentConfig({ flags: { dataFolder, memoryBytes: 2 ** 30, logLevel: "silent" }, environment: {}, file: undefined }), { log: silentLog });
  await agent.start();
  return {
    agent: address(credential.siteId, credential.agentId),
    bus,
    document: await laboratoryFunction("laboratory"),
    async close() {
      await agent.close();
      const left = await leftOf(credential.agentId);
      if (left.length > 0) throw new Error(`Left behind: ${left.join(", ")}`);
      await hosts[Symbol.asyncDispose]();
    },
  };
});

agentContract("A simulated agent", async (heard) => {
  const testBus = await TestBus.start();
  const bus = await testBus.broker("b1", heard);
  const switchboard = await Switchboard.to(testBus.bus, join(testBus.dataFolder, "nats"));
  const agent = new SimulatedAgent(address("plant", "simulated"), switchboard.line(address("plant", "simulated")).bus);
  await agent.start();
  const document: FunctionDocument = { name: "laboratory", image: "laboratory", contract: "http" };
  return {
    agent: agent.address,
    bus,
    document,
    async close() {
      await agent.close();
      await switchboard[Symbol.asyncDispose]();
      await testBus[Symbol.asyncDispose]();
    },
  };
});
