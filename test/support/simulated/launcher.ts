import type { Revision } from "@longshore/protocol";
import type { RunningInstance } from "../../../packages/agent/src/contracts/contract.ts";
import type { ContainerId, ContainerState } from "../../../packages/agent/src/engine/engine.ts";
import type { Launcher, PreparedInstance } from "../../../packages/agent/src/instances/prepared.ts";
import type { LogWriter } from "../../../packages/agent/src/logs/log-store.ts";

/** Makes containers of nothing: each is there at once, and gone when it is told to go. */
export const simulatedLauncher: Launcher = {
  canHold: () => true,
  prepare: ({ instanceId, revision }) => Promise.resolve(new SimulatedContainer(instanceId, revision)),
  adopt: () => Promise.reject(new Error("A simulated agent leaves nothing behind to adopt")),
};

const noLog: LogWriter = { write: () => undefined, system: () => undefined, belongsTo: () => undefined, flush: () => undefined, end: () => undefined };
const ended: ContainerState = { running: false, exitCode: 0, oomKilled: false, error: undefined, ip: undefined };

class SimulatedContainer implements PreparedInstance {
  readonly containerId: ContainerId;
  readonly isHeld = true;
  readonly hasRunOutOfMemory = false;
  readonly exited: Promise<ContainerState>;
  readonly log = noLog;
  readonly #running: RunningInstance;
  readonly #exit = Promise.withResolvers<ContainerState>();
  #hasEnded = false;

  constructor(instanceId: string, revision: Revision) {
    this.containerId = instanceId as ContainerId;
    this.exited = this.#exit.promise;
    const suspension = { pause: () => Promise.resolve(), resume: () => Promise.resolve() };
    this.#running = { instanceId, revision, address: { ip: "192.0.2.2", gateway: "192.0.2.1", pid: 0 }, plan: { mode: "become", env: [], port: undefined }, streams: undefined, exited: this.exited, suspension };
  }

  begin(): RunningInstance {
    return this.#running;
  }

  evidence(): ReturnType<PreparedInstance["evidence"]> {
    return Promise.resolve({ exit: this.#hasEnded ? ended : undefined, sawOutOfMemory: false });
  }

  stderrTail(): undefined {
    return undefined;
  }

  keepStderr(): void {}

  stop(): Promise<void> {
    return this.discard();
  }

  discard(): Promise<void> {
    this.#hasEnded = true;
    this.#exit.resolve(ended);
    return Promise.resolve();
  }
}
