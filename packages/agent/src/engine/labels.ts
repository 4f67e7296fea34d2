import type { ContainerSpec, OwnedContainer } from "./engine.ts";

/** Labels that say whose a container or network is. Nothing without them is ever touched. */
export const labelKeys = {
  /** On everything any agent makes; the value is the agent's id. Two agents on one engine never touch each other's. */
  agent: "longshore.agent",
  /** A marker for people and clean-up: always `true`. */
  fleet: "longshore.fleet",
  instance: "longshore.instance",
  revisionDigest: "longshore.revision-digest",
  revisionId: "longshore.revision",
  /** JSON that lets a restarted agent adopt the instance: contract, port, concurrency. */
  adoption: "longshore.adoption",
} as const;

/** The labels of one instance's container. */
export function instanceLabels(instance: { agentId: string; instanceId: string; revisionDigest: string; revisionId: string; adoption: string }): ContainerSpec["labels"] {
  return {
    [labelKeys.agent]: instance.agentId,
    [labelKeys.fleet]: "true",
    [labelKeys.instance]: instance.instanceId,
    [labelKeys.revisionDigest]: instance.revisionDigest,
    [labelKeys.revisionId]: instance.revisionId,
    [labelKeys.adoption]: instance.adoption,
  };
}

/** Which instance a container is, by its labels. */
export function instanceIdOf(container: OwnedContainer): string | undefined {
  return container.labels[labelKeys.instance];
}
