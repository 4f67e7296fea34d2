import { findNatsServer } from "../../packages/cli/bin/tool-cache.mjs";
import { findCommand } from "./machine.mjs";
import { nodeEnvironment } from "./node.mjs";

/** The environment for what runs a fleet: `node` is Node 24, and `LONGSHORE_NATS_SERVER` names the nats-server that set-up found. */
export function toolEnvironment() {
  const natsServer = findNatsServer() ?? findCommand("nats-server");
  return { ...nodeEnvironment(), ...(natsServer === undefined ? {} : { LONGSHORE_NATS_SERVER: natsServer }) };
}
