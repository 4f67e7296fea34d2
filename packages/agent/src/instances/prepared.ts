import type { Revision } from "@longshore/protocol";
import type { RunningInstance } from "../contracts/contract.ts";
import type { AdoptionCandidate } from "../engine/reconcile.ts";
import type { ContainerId, ContainerState } from "../engine/engine.ts";
import type { LogWriter } from "../logs/log-store.ts";

/** What became of a container, as far as the engine told. */
export interface ContainerEvidence {
  /** Undefined while it runs. */
  readonly exit: ContainerState | undefined;
  /** The kernel killed one of its processes for memory. */
  readonly sawOutOfMemory: boolean;
}

/** A container made for an instance, with everything the image says, whose program has not begun (or, once adopted, has). */
export interface PreparedInstance {
  /** Undefined until the engine has made it: a plain start for one invocation makes its container with the invocation. */
  readonly containerId: ContainerId | undefined;
  /** `hold` waits in it, so that it may be kept. */
  readonly isHeld: boolean;
  /** The engine told that a process of it was killed for memory: a later failure would be taken for that one's. */
  readonly hasRunOutOfMemory: boolean;
  /** Resolves once the container does not run any more, whoever ended it. */
  readonly exited: Promise<ContainerState>;
  readonly log: LogWriter;

  /**
   * Begins the program. `become`: resolves when it takes invocations, or rejects with `instance_start_failed`. `run`: returns at
   * once; the program begins with the invocation, through `streams`.
   */
  begin(): Promise<RunningInstance> | RunningInstance;
  /** What is known now; with `waitMs`, as soon as an exit is known or that time has passed. */
  evidence(waitMs?: number): Promise<ContainerEvidence>;
  /** The end of what the program wrote to stderr. */
  stderrTail(): string | undefined;
  /** Adds to what {@link stderrTail} tells. */
  keepStderr(bytes: Uint8Array): void;
  /** Stop signal, grace, kill; resolves when the container is gone, and keeps trying until then. */
  stop(): Promise<void>;
  /** Removes the container at once: nothing in it needs a chance to end well. */
  discard(): Promise<void>;
}

/** Makes containers for instances. */
export interface Launcher {
  /** `hold` exists for the revision's architecture, so that instances can be kept held. */
  canHold(revisionArchitecture: string): boolean;
  /** Rejects with a LongshoreError: `image_not_found`, `image_pull_failed`, `engine_unavailable`, `instance_start_failed`. */
  prepare(instance: { readonly instanceId: string; readonly revision: Revision }): Promise<PreparedInstance>;
  /** Takes over a container whose program an earlier process of this agent began. Rejects as {@link prepare} does. */
  adopt(candidate: AdoptionCandidate, revision: Revision): Promise<PreparedInstance>;
}
