import { randomBytes } from "node:crypto";
import Docker from "dockerode";
import { createDockerEngine, type DockerEngineOptions } from "../../packages/agent/src/engine/docker.ts";
import type { Attachment, ContainerAddress, ContainerId, ContainerSpec, ContainerState, Engine } from "../../packages/agent/src/engine/engine.ts";
import { labelKeys } from "../../packages/agent/src/engine/labels.ts";
import { type CapturedOutput, captureOutput } from "../../packages/agent/src/engine/testing/captured-output.ts";
import { ensureImage } from "./images/ensure-image.ts";

const mebibyte = 2 ** 20;

/** The real engine, for one agent that only the test knows. */
export interface AgentEngine {
  readonly agentId: string;
  readonly engine: Engine;
  /** A spec for a shell script in a busybox image. */
  shell(script: string, changes?: Partial<ContainerSpec>): ContainerSpec;
  /** Creates, attaches, starts. */
  start(spec: ContainerSpec): Promise<StartedContainer>;
  /** Runs a shell script to its end. */
  run(script: string, changes?: Partial<ContainerSpec>): Promise<FinishedRun>;
  /** Removes containers and networks; throws when something is left. */
  close(): Promise<void>;
}

export interface StartedContainer {
  readonly id: ContainerId;
  readonly attachment: Attachment;
  readonly output: CapturedOutput;
  readonly address: ContainerAddress;
}

export interface FinishedRun extends ContainerState {
  readonly stdout: string;
  readonly stderr: string;
}

/** The engine itself, for what an agent does not do. */
export const docker = new Docker();

/** Makes the networks of a fresh agent; the image's user is root unless told otherwise. */
export async function createAgentEngine(options: Partial<DockerEngineOptions> = {}, config: Parameters<typeof ensureImage>[1]["config"] = {}): Promise<AgentEngine> {
  const agentId = options.agentId ?? `test-${randomBytes(4).toString("hex")}`;
  const engine = createDockerEngine({ ...options, agentId });
  const image = await ensureImage("busybox", { config });
  await engine.ensureNetworks();

  const shell: AgentEngine["shell"] = (script, changes = {}) => ({
    name: `longshore-${agentId}-${randomBytes(4).toString("hex")}`,
    image,
    entrypoint: ["/bin/sh", "-c", script],
    command: [],
    env: [],
    labels: {},
    memoryBytes: 64 * mebibyte,
    cpuMillis: 1000,
    pidsLimit: 64,
    scratchBytes: mebibyte,
    profile: "standard",
    volumes: [],
    network: "none",
    mounts: [],
    stdin: false,
    ...changes,
  });

  const start: AgentEngine["start"] = async (spec) => {
    const id = await engine.createContainer(spec);
    const attachment = await engine.attach(id, { stdin: spec.stdin });
    const output = captureOutput(attachment);
    return { id, attachment, output, address: await engine.startContainer(id) };
  };

  return {
    agentId,
    engine,
    shell,
    start,
    async run(script, changes) {
      const { id, output } = await start(shell(script, changes));
      await output.ended;
      const state = await engine.waitExit(id);
      await engine.removeContainer(id);
      return { ...state, stdout: output.stdout.toString(), stderr: output.stderr.toString() };
    },
    async close() {
      await Promise.all((await engine.listOwned()).map(({ id }) => engine.removeContainer(id)));
      await engine.removeNetworks();
      const left = await leftOf(agentId);
      if (left.length > 0) throw new Error(`Left behind by agent "${agentId}": ${left.join(", ")}`);
    },
  };
}

/** Names of containers and networks that carry an agent's label. */
export async function leftOf(agentId: string): Promise<string[]> {
  const filters = { label: [`${labelKeys.agent}=${agentId}`] };
  const containers = await docker.listContainers({ all: true, filters });
  const networks = await docker.listNetworks({ filters });
  return [...containers.map(({ Names }) => Names[0] ?? ""), ...networks.map(({ Name }) => Name)];
}
