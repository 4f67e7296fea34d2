import { createHash } from "node:crypto";
import { constants } from "node:os";
import { type Attachment, type ContainerAddress, type ContainerId, type ContainerSpec, type ContainerState, EngineError, type EngineEvent, type OwnedContainer } from "../engine.ts";
import { createFakeStreams, type FakeStreams } from "./fake-streams.ts";

/** What runs in a fake container. It ends with exit code 0 when it returns, with 1 when it throws. */
export type FakeProgram = (process: FakeProcess) => void | Promise<void>;

/** A fake container as its program sees it. */
export interface FakeProcess {
  readonly spec: ContainerSpec;
  /** Input until its end; empty without `stdin`. */
  readonly stdin: AsyncIterable<Uint8Array>;
  /** Resolves once there is room for more. Text is written as UTF-8. */
  stdout(output: Uint8Array | string): Promise<void>;
  stderr(output: Uint8Array | string): Promise<void>;
  /** Handles signals other than SIGKILL, which otherwise end the program with 128 + number. */
  onSignal(handler: (signal: string) => void): void;
  exit(exitCode: number): void;
  /** The kernel kills one of its processes for memory; the container goes on until it exits. */
  outOfMemory(): void;
  /** Resolves once the container does not run any more. */
  readonly ended: Promise<void>;
}

/** A fake container as a test sees it. */
export interface FakeContainer {
  readonly id: ContainerId;
  readonly spec: ContainerSpec;
  readonly agentId: string;
  readonly state: ContainerState;
  readonly isAttached: boolean;
  readonly owned: OwnedContainer;
  /** Ends it as `docker kill` from outside would. */
  kill(signal?: string): void;
  outOfMemory(): void;
  attach(stdin: boolean): Attachment;
  start(): ContainerAddress;
  signal(signal: string): void;
  /** Its program goes on, but nothing of it is seen, and it hears nothing, until it is resumed. */
  pause(): void;
  resume(): void;
  /** Ends its streams as a broken connection does; it runs on. */
  breakStreams(): void;
  readonly ended: Promise<void>;
}

/** A container that was made and waits to be started. */
export function createFakeContainer(spec: ContainerSpec, agentId: string, address: ContainerAddress, program: FakeProgram, emit: (event: EngineEvent) => void): FakeContainer {
  const id = createHash("sha256").update(spec.name).update(String(Math.random())).digest("hex") as ContainerId;
  const ended = Promise.withResolvers<void>();
  const outputs: FakeStreams[] = [];
  let input: FakeStreams | undefined;
  let handleSignal: ((signal: string) => void) | undefined;
  let pausing: PromiseWithResolvers<void> | undefined;
  let state: ContainerState = { running: false, exitCode: undefined, oomKilled: false, error: undefined, ip: undefined };

  const exit = (exitCode: number) => {
    if (!state.running) return;
    state = { ...state, running: false, exitCode, ip: undefined };
    for (const streams of outputs) streams.end();
    ended.resolve();
    emit({ kind: "exited", id, exitCode });
  };
  const signal = (name: string) => {
    if (!state.running) return;
    if (pausing !== undefined && name !== "SIGKILL") return void pausing.promise.then(() => signal(name));
    if (handleSignal !== undefined && name !== "SIGKILL") handleSignal(name);
    else exit(128 + constants.signals[name as NodeJS.Signals]);
  };
  const outOfMemory = () => {
    state = { ...state, oomKilled: true };
    emit({ kind: "out_of_memory", id });
  };
  const write = async (stream: "stdout" | "stderr", output: Uint8Array | string) => {
    const bytes = typeof output === "string" ? new TextEncoder().encode(output) : output;
    await pausing?.promise;
    await Promise.all(outputs.map((streams) => streams.write(stream, bytes)));
  };

  const process: FakeProcess = {
    spec,
    get stdin() {
      return input?.input ?? noInput;
    },
    stdout: (output) => write("stdout", output),
    stderr: (output) => write("stderr", output),
    onSignal: (handler) => (handleSignal = handler),
    exit,
    outOfMemory,
    ended: ended.promise,
  };

  return {
    id,
    spec,
    agentId,
    get state() {
      return state;
    },
    get isAttached() {
      return outputs.length > 0;
    },
    get owned() {
      return { id, name: spec.name, labels: spec.labels, running: state.running, ip: state.ip };
    },
    kill: (name = "SIGKILL") => signal(name),
    outOfMemory,
    attach(stdin) {
      const streams = createFakeStreams();
      outputs.push(streams);
      if (stdin && spec.stdin) input ??= streams;
      return streams.attachment;
    },
    start() {
      if (state.running) return address;
      if (state.exitCode !== undefined) throw new EngineError("conflict", 409, `Cannot start container "${id}": it has ended`);
      state = { ...state, running: true, ip: address.ip };
      void run(program, process);
      return address;
    },
    signal,
    pause: () => {
      if (!state.running) throw new EngineError("conflict", 409, `Cannot pause container "${id}": it does not run`);
      pausing ??= Promise.withResolvers<void>();
    },
    resume: () => {
      if (!state.running) throw new EngineError("conflict", 409, `Cannot resume container "${id}": it does not run`);
      pausing?.resolve();
      pausing = undefined;
    },
    breakStreams: () => outputs.splice(0).forEach((streams) => streams.end(new Error("The connection to the container's streams was closed"))),
    ended: ended.promise,
  };
}

async function run(program: FakeProgram, process: FakeProcess): Promise<void> {
  try {
    await program(process);
    process.exit(0);
  } catch {
    process.exit(1);
  }
}

const noInput: AsyncIterable<Uint8Array> = { [Symbol.asyncIterator]: () => ({ next: () => Promise.resolve({ done: true, value: undefined }) }) };
