import { randomUUID } from "node:crypto";
import { contractPrograms } from "../../packages/agent/src/engine/testing/contract-programs.ts";
import { describeEngineContract } from "../../packages/agent/src/engine/testing/engine-contract.ts";
import { createAgentEngine, docker } from "../support/agent-engine.ts";
import { ensureImage } from "../support/images/ensure-image.ts";

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
    // Nobody else's image has these contents.
    spareImage: () => ensureImage("busybox", { config: { labels: { spare: randomUUID() } } }),
    removeFromOutside: (id) => docker.getContainer(id).remove({ force: true }),
    async close() {
      await one.close();
      await two.close();
    },
  };
});
