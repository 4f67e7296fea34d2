import { pause } from "../clock.ts";
import type { RunningInstance } from "../contracts/contract.ts";
import type { ContainerId, ContainerState } from "../engine/engine.ts";
import type { LogWriter } from "../logs/log-store.ts";
import { StderrTail } from "../logs/stderr-tail.ts";
import { containerSpecOf } from "./container-spec.ts";
import { DeferredAttachment } from "./deferred-attachment.ts";
import type { ContainerFate } from "./fates.ts";
import type { ContainerContext } from "./container-context.ts";
import type { ContainerEvidence, PreparedInstance } from "./prepared.ts";
import { refuseRoot } from "./refuse-root.ts";
import { removeForSure, stopContainer } from "./removal.ts";

/**
 * One invocation of a command-line image where no `hold` exists for its architecture: the container is made when the invocation
 * comes, since only then its whole environment is known, and the engine tells how the program ended.
 */
export class PlainRunContainer implements PreparedInstance {
  readonly isHeld = false;
  readonly log: LogWriter;
  readonly exited: Promise<ContainerState>;
  readonly #context: ContainerContext;
  readonly #attachment = new DeferredAttachment();
  readonly #tail = new StderrTail();
  #resolveExited!: (state: ContainerState) => void;
  #fate: ContainerFate | undefined;
  #id: ContainerId | undefined;
  #made: Promise<ContainerFate> | undefined;
  #gone: Promise<void> | undefined;

  constructor(context: ContainerContext) {
    this.#context = context;
    this.log = context.output;
    this.exited = new Promise((resolve) => {
      this.#resolveExited = resolve;
    });
  }

  get hasRunOutOfMemory(): boolean {
    return this.#fate?.sawOutOfMemory ?? false;
  }

  get containerId(): ContainerId | undefined {
    return this.#id;
  }

  begin(): RunningInstance {
    const { instanceId, revision, start } = this.#context;
    const streams = {
      attachment: this.#attachment,
      begin: (env: readonly string[]) => {
        this.#made = this.#make(env);
        const exited = this.#made.then((fate) => fate.exited);
        exited.then(this.#resolveExited, () => undefined);
        return { kind: "exit" as const, exited };
      },
    };
    return { instanceId, revision, address: { ip: "", gateway: "", pid: 0 }, plan: start, streams, exited: this.exited, suspension: neverSuspended };
  }

  async #make(env: readonly string[]): Promise<ContainerFate> {
    const { engine, fates } = this.#context;
    const spec = containerSpecOf(this.#context);
    this.#id = await engine.createContainer({ ...spec, env: [...spec.env, ...env] });
    this.#fate = fates.follow(this.#id);
    this.#attachment.resolve(await engine.attach(this.#id, { stdin: true }));
    await refuseRoot(this.#context.revision, await engine.startContainer(this.#id));
    return this.#fate;
  }

  async evidence(waitMs = 0): Promise<ContainerEvidence> {
    if (this.#fate !== undefined && this.#fate.exit === undefined && waitMs > 0) {
      this.#fate.recheck();
      const waiting = new AbortController();
      await Promise.race([this.#fate.exited, pause(this.#context.clock, waitMs, waiting.signal)]);
      waiting.abort();
    }
    return { exit: this.#fate?.exit, sawOutOfMemory: this.#fate?.sawOutOfMemory ?? false };
  }

  stderrTail(): string | undefined {
    return this.#tail.text();
  }

  keepStderr(bytes: Uint8Array): void {
    this.#tail.push(bytes);
  }

  stop(): Promise<void> {
    return (this.#gone ??= this.#end(true));
  }

  discard(): Promise<void> {
    return (this.#gone ??= this.#end(false));
  }

  async #end(gracefully: boolean): Promise<void> {
    const { engine, clock, log, image, revision } = this.#context;
    // A start under way cannot be called back; what comes of it is removed.
    const isStarted = await this.#made?.then(() => true, () => false);
    const [id, fate] = [this.#id, this.#fate];
    if (id !== undefined && fate !== undefined) {
      if (gracefully && isStarted === true && fate.exit === undefined) await stopContainer({ engine, clock, log, fate, id, signal: image.stopSignal ?? "SIGTERM", graceMs: revision.spec.stopGraceMs });
      await removeForSure(this.#context, id);
      fate.forget();
    }
    this.#attachment.close();
    this.log.end();
  }
}

/** It serves one invocation and is never idle. */
const neverSuspended = { pause: () => Promise.resolve(), resume: () => Promise.resolve() };
