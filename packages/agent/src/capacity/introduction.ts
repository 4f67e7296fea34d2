import { type AgentId, type Introduction, protocolVersion, type SiteId } from "@longshore/protocol";
import type { EngineDescription } from "../engine/engine.ts";
import { agentVersion } from "../version.ts";

/** What an agent says of its host; `host/…` labels are facts that it found, not what an operator set. */
export function introductionOf(identity: { readonly agentId: AgentId; readonly siteId: SiteId; readonly incarnation: string }, engine: EngineDescription, canHold: boolean): Introduction {
  return {
    protocolVersion,
    ...identity,
    version: agentVersion,
    hostName: engine.hostName,
    architecture: engine.architecture,
    engine: { name: engine.name, version: engine.version },
    cpuMillis: engine.cpuMillis,
    memoryBytes: engine.memoryBytes,
    diskFreeBytes: engine.diskFreeBytes,
    hostLabels: { "host/arch": engine.architecture, "host/os": "linux", "host/engine": engine.name.toLowerCase() },
    runtimes: [...engine.runtimes],
    canHold,
  };
}
