import { LongshoreError } from "@longshore/protocol";
import { pause } from "../clock.ts";
import type { InvocationStreams, RunningInstance } from "../contracts/contract.ts";
import { createSuspension } from "../engine/container-freezer.ts";
import type { Attachment, ContainerAddress, ContainerId, ContainerState } from "../engine/engine.ts";
import { readOomKills } from "../engine/oom-kills.ts";
import { createNonce, encodeHoldFrame } from "../hold/frame.ts";
import type { LogWriter } from "../logs/log-store.ts";
import { StderrTail } from "../logs/stderr-tail.ts";
import { frameEnvironment } from "./container-spec.ts";
import { engineFailure } from "./engine-failure.ts";
import type { ContainerFate } from "./fates.ts";
import type { ContainerContext } from "./container-context.ts";
import type { ContainerEvidence, PreparedInstance } from "./prepared.ts";
import { refuseRoot } from "./refuse-root.ts";
import { removeForSure, stopContainer } from "./removal.ts";
import { describeEnd, isEndedFromOutside, withLastLines } from "./start-failure.ts";

interface ContainerParts {
  readonly id: ContainerId;
  readonly fate: ContainerFate;
  readonly attachment: Attachment;
  /** Undefined while it is created only: a plain start starts it when the program is to begin. */
  readonly address: ContainerAddress | undefined;
  /** Its program runs already: an earlier process of the agent began it. */
  readonly hasBegun: boolean;
}

/** An instance's container, from the moment it exists. */
export class InstanceContainer implements PreparedInstance {
  readonly containerId: ContainerId;
  readonly isHeld: boolean;
  readonly log: LogWriter;
  readonly #context: ContainerContext;
  readonly #parts: ContainerParts;
  readonly #tail = new StderrTail();
  #running: RunningInstance | undefined;
  /** There is a process that a stop signal could reach. */
  #isStarted: boolean;
  #gone: Promise<void> | undefined;

  constructor(context: ContainerContext, parts: ContainerParts) {
    this.#context = context;
    this.#parts = parts;
    this.containerId = parts.id;
    this.#isStarted = parts.address !== undefined;
    this.isHeld = context.holdOnHost !== undefined;
    this.log = context.output;
    if (context.start.mode === "become") this.#readOutput();
  }

  get hasRunOutOfMemory(): boolean {
    return this.#parts.fate.sawOutOfMemory;
  }

  get exited(): Promise<ContainerState> {
    return this.#parts.fate.exited;
  }

  begin(): Promise<RunningInstance> | RunningInstance {
    return this.#context.start.mode === "run" ? this.#beginRun() : this.#beginServer();
  }

  async evidence(waitMs = 0): Promise<ContainerEvidence> {
    const { fate } = this.#parts;
    if (fate.exit === undefined && waitMs > 0) {
      fate.recheck();
      const waiting = new AbortController();
      await Promise.race([fate.exited, pause(this.#context.clock, waitMs, waiting.signal)]);
      waiting.abort();
    }
    // The engine's event of a kill comes later than the program's own account of it.
    const kills = fate.exit === undefined ? await readOomKills(this.#parts.address?.pid ?? 0) : 0;
    return { exit: fate.exit, sawOutOfMemory: fate.sawOutOfMemory || (kills ?? 0) > 0 };
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
    const { engine, clock, log, image, revision, contract } = this.#context;
    const { fate } = this.#parts;
    if (gracefully && this.#running !== undefined) await contract.stopping?.(this.#running);
    if (gracefully && this.#isStarted && fate.exit === undefined) await stopContainer({ engine, clock, log, fate, id: this.containerId, signal: image.stopSignal ?? "SIGTERM", graceMs: revision.spec.stopGraceMs });
    await removeForSure(this.#context, this.containerId);
    fate.forget();
    this.#parts.attachment.close();
    if (this.#running !== undefined) contract.release(this.#running);
    this.log.end();
  }

  /** A server's output is its log. That the streams end says nothing by itself: it may have closed them and live on. */
  #readOutput(): void {
    this.#parts.attachment.listen({
      onStdout: (bytes) => this.log.write("stdout", bytes),
      onStderr: (bytes) => {
        this.keepStderr(bytes);
        this.log.write("stderr", bytes);
      },
      onEnd: () => this.#parts.fate.recheck(),
    });
  }

  #beginRun(): RunningInstance {
    const { attachment, address } = this.#parts;
    const streams: InvocationStreams = {
      attachment,
      begin: (env) => {
        const nonce = createNonce(this.#context.randomBytes);
        this.#sendFrame(nonce, env);
        return { kind: "trailer", nonce };
      },
    };
    return this.#run(address ?? { ip: "", gateway: "", pid: 0 }, streams);
  }

  async #beginServer(): Promise<RunningInstance> {
    const running = this.#run(await this.#beginProgram(), undefined);
    const waiting = new AbortController();
    const cancelLimit = this.#context.clock.after(this.#context.revision.spec.startTimeoutMs, () => waiting.abort());
    const ready = this.#context.contract.ready(running, waiting.signal);
    try {
      const exit = await Promise.race([ready.then(() => undefined), this.exited]);
      if (exit !== undefined) throw this.#exitedEarly(exit);
      return running;
    } catch (error) {
      throw withLastLines(LongshoreError.from(error, `Cannot start instance of "${running.revision.functionName}"`).at("startup"), this.stderrTail());
    } finally {
      cancelLimit();
      waiting.abort();
      ready.catch(() => undefined);
    }
  }

  async #beginProgram(): Promise<ContainerAddress> {
    const { address, hasBegun } = this.#parts;
    if (address !== undefined) {
      if (!hasBegun) this.#sendFrame(createNonce(this.#context.randomBytes), []);
      return address;
    }
    try {
      const started = await this.#context.engine.startContainer(this.containerId);
      this.#isStarted = true;
      await refuseRoot(this.#context.revision, started);
      return started;
    } catch (error) {
      throw engineFailure(error, `Cannot start instance of "${this.#context.revision.functionName}"`, "instance_start_failed");
    }
  }

  #sendFrame(nonce: Uint8Array, env: readonly string[]): void {
    const { revision, start } = this.#context;
    this.#parts.attachment.write(encodeHoldFrame({ nonce, env: [...frameEnvironment(revision, start), ...env] }));
  }

  #run(address: ContainerAddress, streams: InvocationStreams | undefined): RunningInstance {
    const { engine, instanceId, revision, start } = this.#context;
    this.#running = { instanceId, revision, address, plan: start, streams, exited: this.exited, suspension: createSuspension(engine, this.containerId, address.pid) };
    return this.#running;
  }

  #exitedEarly(exit: ContainerState): LongshoreError {
    const { functionName } = this.#context.revision;
    if (isEndedFromOutside(exit)) {
      // Nothing was wrong with the program, so that another instance may well serve.
      return new LongshoreError("agent_busy", `Cannot start instance of "${functionName}": its container was ended from outside`, { phase: "startup" });
    }
    return new LongshoreError("instance_start_failed", `Cannot start instance of "${functionName}": ${describeEnd(exit)} before it took invocations`, { phase: "startup" });
  }
}
