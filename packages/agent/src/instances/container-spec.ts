import type { ImageFacts, Revision } from "@longshore/protocol";
import type { StartPlan } from "../contracts/contract.ts";
import { formatAdoption } from "../engine/adoption.ts";
import type { ContainerSpec } from "../engine/engine.ts";
import { instanceLabels } from "../engine/labels.ts";
import { environmentOf, programOf } from "./program.ts";

/** Where `hold` stands in a container. */
export const holdPath = "/.longshore/hold";

/** Processes and threads of one instance: room for a JVM, an end to a fork bomb. */
const pidsLimit = 1024;

export interface ContainerPlan {
  readonly agentId: string;
  readonly siteId: string;
  readonly instanceId: string;
  readonly revision: Revision;
  readonly image: ImageFacts;
  readonly start: StartPlan;
  /** `hold` on the host, as the engine finds it; undefined for a plain start. */
  readonly holdOnHost: string | undefined;
}

/**
 * The container of an instance. With `hold` in front, secrets and what the contract adds travel in the start frame, so that the engine
 * never shows them; in a plain start they have to stand in the container's environment.
 */
export function containerSpecOf(plan: ContainerPlan): ContainerSpec {
  const { revision, start, holdOnHost } = plan;
  const { spec } = revision;
  const program = programOf(revision);
  const ownEnv = [...environmentOf(spec.env), `LONGSHORE_SITE=${plan.siteId}`];
  return {
    name: `longshore-${revision.functionName}-${plan.instanceId}`,
    image: plan.image.imageId,
    entrypoint: holdOnHost === undefined ? program : [holdPath, start.mode, ...program],
    command: [],
    ...(spec.workingDirectory !== undefined && { workingDirectory: spec.workingDirectory }),
    env: holdOnHost === undefined ? [...ownEnv, ...frameEnvironment(revision, start)] : ownEnv,
    labels: instanceLabels({
      agentId: plan.agentId,
      instanceId: plan.instanceId,
      revisionDigest: revision.digest,
      revisionId: revision.revisionId,
      adoption: formatAdoption({ contract: spec.contract, mode: start.mode, concurrency: spec.concurrency, ...(start.port !== undefined && { port: start.port }) }),
    }),
    memoryBytes: spec.memoryBytes,
    cpuMillis: spec.cpuMillis,
    pidsLimit,
    scratchBytes: spec.scratchBytes,
    profile: spec.profile,
    volumes: plan.image.volumes,
    ...(spec.runtime !== undefined && { runtime: spec.runtime }),
    network: spec.network,
    mounts: holdOnHost === undefined ? [] : [{ hostPath: holdOnHost, containerPath: holdPath }],
    stdin: holdOnHost !== undefined || start.mode === "run",
  };
}

/** What the start frame adds to the container's environment: what the contract says, then what the user keeps secret, which wins. */
export function frameEnvironment(revision: Revision, start: StartPlan): string[] {
  return [...start.env, ...environmentOf(revision.spec.secrets)];
}
