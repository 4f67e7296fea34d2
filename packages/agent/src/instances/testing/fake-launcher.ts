import { LongshoreError, type Revision } from "@longshore/protocol";
import type { RunningInstance } from "../../contracts/contract.ts";
import type { ContainerId, ContainerState } from "../../engine/engine.ts";
import type { LogWriter } from "../../logs/log-store.ts";
import type { Launcher, PreparedInstance } from "../prepared.ts";
import { RecordedSuspension } from "../../testing/recorded-suspension.ts";

/** A container that is being made; the test says how that ends. */
export interface Preparation {
  readonly instanceId: string;
  readonly revision: Revision;
  succeed(): FakePrepared;
  fail(error?: LongshoreError): void;
}

/** Makes containers of nothing, when and as the test says. */
export class FakeLauncher implements Launcher {
  /** `hold` exists. */
  canBeHeld = true;
  /** Under way, in the order they were asked for. */
  readonly preparations: Preparation[] = [];
  /** Those that were made and not yet removed. */
  readonly containers: FakePrepared[] = [];
  onEnd: (container: FakePrepared) => void = () => undefined;

  canHold(): boolean {
    return this.canBeHeld;
  }

  prepare({ instanceId, revision }: { instanceId: string; revision: Revision }): Promise<PreparedInstance> {
    return new Promise((resolve, reject) => {
      const over = () => this.preparations.splice(this.preparations.indexOf(preparation), 1);
      const preparation: Preparation = {
        instanceId,
        revision,
        succeed: () => {
          over();
          const prepared = this.make(instanceId, revision);
          resolve(prepared);
          return prepared;
        },
        fail: (error = new LongshoreError("image_pull_failed", "Cannot pull", { phase: "startup" })) => {
          over();
          reject(error);
        },
      };
      this.preparations.push(preparation);
    });
  }

  adopt(): Promise<PreparedInstance> {
    return Promise.reject(new Error("Nothing to adopt"));
  }

  /** A container that is there already. */
  make(instanceId: string, revision: Revision): FakePrepared {
    const prepared = new FakePrepared(this, instanceId, revision);
    this.containers.push(prepared);
    return prepared;
  }

  /** Completes the oldest container under way. */
  next(): FakePrepared {
    const [first] = this.preparations;
    if (first === undefined) throw new Error("No container is being made");
    return first.succeed();
  }

  /** The container of an instance. */
  of(instanceId: string): FakePrepared {
    const container = this.containers.find((candidate) => candidate.instanceId === instanceId);
    if (container === undefined) throw new Error(`There is no container of ${instanceId}`);
    return container;
  }
}

const exitedState: ContainerState = { running: false, exitCode: 1, oomKilled: false, error: undefined, ip: undefined };
const noLog: LogWriter = { write: () => undefined, system: () => undefined, belongsTo: () => undefined, flush: () => undefined, end: () => undefined };

/** A container of nothing, whose phases the test ends. */
export class FakePrepared implements PreparedInstance {
  readonly containerId: ContainerId;
  readonly instanceId: string;
  readonly revision: Revision;
  readonly isHeld: boolean;
  readonly exited: Promise<ContainerState>;
  readonly log = noLog;
  hasRunOutOfMemory = false;
  hasBegun = false;
  hasExited = false;
  /** `stop` or `discard` was asked for. */
  ending: "stop" | "discard" | undefined;
  readonly #launcher: FakeLauncher;
  readonly #exit = Promise.withResolvers<ContainerState>();
  readonly #gone = Promise.withResolvers<void>();
  readonly #begun = Promise.withResolvers<RunningInstance>();

  constructor(launcher: FakeLauncher, instanceId: string, revision: Revision) {
    this.#launcher = launcher;
    this.instanceId = instanceId;
    this.containerId = `c-${instanceId}` as ContainerId;
    this.revision = revision;
    this.isHeld = launcher.canBeHeld;
    this.exited = this.#exit.promise;
    this.#begun.promise.catch(() => undefined);
  }

  /** It starts at this moment: `ready` or `failToStart` is called for next. */
  get isStarting(): boolean {
    return this.hasBegun && this.ending === undefined && !this.#isDecided && this.revision.spec.contract !== "stdio";
  }

  #isDecided = false;

  begin(): Promise<RunningInstance> | RunningInstance {
    if (this.hasBegun) throw new Error(`${this.instanceId} was begun twice`);
    this.hasBegun = true;
    return this.revision.spec.contract === "stdio" ? this.#running() : this.#begun.promise;
  }

  ready(): void {
    this.#isDecided = true;
    this.#begun.resolve(this.#running());
  }

  failToStart(): void {
    this.#isDecided = true;
    this.#begun.reject(new LongshoreError("instance_start_failed", "Cannot start", { phase: "startup" }));
  }

  /** It ends by itself. */
  die(): void {
    this.hasExited = true;
    this.#exit.resolve(exitedState);
    if (this.isStarting) this.failToStart();
  }

  evidence(): Promise<{ exit: ContainerState | undefined; sawOutOfMemory: boolean }> {
    return Promise.resolve({ exit: this.hasExited ? exitedState : undefined, sawOutOfMemory: false });
  }

  stderrTail(): undefined {
    return undefined;
  }

  keepStderr(): void {}

  stop(): Promise<void> {
    return this.#end("stop");
  }

  discard(): Promise<void> {
    return this.#end("discard");
  }

  /** What was asked to end is gone. */
  remove(): void {
    if (this.ending === undefined) throw new Error(`Nobody asked to end ${this.instanceId}`);
    this.#launcher.containers.splice(this.#launcher.containers.indexOf(this), 1);
    this.#gone.resolve();
  }

  #end(how: "stop" | "discard"): Promise<void> {
    if (this.ending === undefined) {
      this.ending = how;
      this.#launcher.onEnd(this);
    }
    return this.#gone.promise;
  }

  #running(): RunningInstance {
    const isStdio = this.revision.spec.contract === "stdio";
    const streams = isStdio ? ({ attachment: undefined, begin: () => undefined } as never) : undefined;
    return { instanceId: this.instanceId, revision: this.revision, address: { ip: "192.0.2.2", gateway: "192.0.2.1", pid: 0 }, plan: { mode: isStdio ? "run" : "become", env: [], port: undefined }, streams, exited: this.exited, suspension: new RecordedSuspension() };
  }
}
