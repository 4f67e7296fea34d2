import { contractPrograms } from "../../packages/agent/src/engine/testing/contract-programs.ts";
import { describeEngineContract } from "../../packages/agent/src/engine/testing/engine-contract.ts";
import { createAgentEngine, docker } from "../support/agent-engine.ts";

describeEngineContract("the Docker engine", async () => {
  const one = await createAgentEngine();
  const two = await createAgentEngine();
  return {
    engine: one.engine,
    otherAgent: two.engine,
    program(name) {
      const { image, entrypoint, command } = one.shell(contractPrograms[name].shell);
      return { image, entrypoint, command };
    },
    removeFromOutside: (id) => docker.getContainer(id).remove({ force: true }),
    async close() {
      await one.close();
      await two.close();
    },
  };
});
