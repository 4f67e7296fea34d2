import { findNatsServer } from "../../packages/cli/bin/tool-cache.mjs";
import { findDockerRegistry } from "./docker-registry.mjs";
import { findCommand } from "./machine.mjs";
import { nodeEnvironment } from "./node.mjs";

/**
 * The environment for what runs a fleet: `node` is Node 24, `LONGSHORE_NATS_SERVER` names the nats-server that set-up found, and
 * `LONGSHORE_DOCKER_REGISTRY` the registry that tests start.
 */
export function toolEnvironment() {
  const natsServer = findNatsServer() ?? findCommand("nats-server");
  const registry = findDockerRegistry();
  return {
    ...nodeEnvironment(),
    ...(natsServer === undefined ? {} : { LONGSHORE_NATS_SERVER: natsServer }),
    ...(registry === undefined ? {} : { LONGSHORE_DOCKER_REGISTRY: registry }),
  };
}
