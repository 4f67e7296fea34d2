import type { AnswerHead, ContractName, HeaderList, ImageFacts, InvocationResult, LongshoreError, RequestHead, Revision } from "@longshore/protocol";
import type { Suspension } from "../engine/container-freezer.ts";
import type { Attachment, ContainerAddress, ContainerState } from "../engine/engine.ts";

/**
 * How an agent talks to one kind of image. A new contract is one file that implements this and one row in `contracts.ts`.
 */
export interface Contract {
  readonly name: ContractName;
  /** How an instance of the revision, of that image, is started. */
  plan(revision: Revision, image: ImageFacts): StartPlan;
  /**
   * Resolves once the instance takes invocations. The caller races it against the container's exit and the start time limit; the
   * rejection is a LongshoreError `instance_start_failed` with a message that names what was seen (listens on loopback only …).
   */
  ready(instance: RunningInstance, signal: AbortSignal): Promise<void>;
  /** Delivers one invocation. Begins at once; everything that follows comes through `answer`, whose `end` is called exactly once. */
  invoke(instance: RunningInstance, call: ContractCall, answer: AnswerSink): ContractRun;
  /** The instance is about to get its stop signal: what it should hear before that is said now. */
  stopping?(instance: RunningInstance): Promise<void>;
  /** Lets go of connections to an instance whose container is gone. */
  release(instance: RunningInstance): void;
}

export interface StartPlan {
  /** `become`: hold turns into the program and the instance serves many. `run`: hold stays parent and the instance serves one. */
  readonly mode: "become" | "run";
  /** `NAME=value` for the frame, beside the revision's own environment and secrets. */
  readonly env: readonly string[];
  /** http, azure: the port the program listens on. */
  readonly port: number | undefined;
  /** azure: HTTP requests go to the handler as they are. */
  readonly forwardsRequests?: boolean;
}

/** An instance whose program has begun, as a contract sees it. */
export interface RunningInstance {
  readonly instanceId: string;
  readonly revision: Revision;
  readonly address: ContainerAddress;
  readonly plan: StartPlan;
  /** Resolves once its container does not run any more. */
  readonly exited: Promise<ContainerState>;
  /** Stops all its processes, and lets them go on. */
  readonly suspension: Suspension;
  /** Begun by `run` only: the program's streams belong to the one invocation. */
  readonly streams: InvocationStreams | undefined;
  /** Room for what a contract keeps per instance (a connection pool). */
  connection?: unknown;
}

/** A program begun for one invocation: its start frame has not been sent yet; the contract sends it with the invocation's environment. */
export interface InvocationStreams {
  readonly attachment: Attachment;
  /** The program begins, with these additional `NAME=value` entries; called once. How its end is told depends on how it was started. */
  begin(env: readonly string[]): ProgramEnd;
}

/** How the end of a program that serves one invocation is told. */
export type ProgramEnd =
  /** In-band, by `hold`: a trailer behind this nonce closes stdout and stderr. */
  | { readonly kind: "trailer"; readonly nonce: Uint8Array }
  /** By the engine, after a plain start. Rejects with an EngineError when the container could not be started. */
  | { readonly kind: "exit"; readonly exited: Promise<ContainerState> };

/** One invocation on its way to an instance. */
export interface ContractCall {
  readonly invocationId: string;
  readonly request: RequestHead;
  readonly traceparent: string | undefined;
  /** Epoch milliseconds at which it must be over. */
  readonly deadlineAtMs: number;
  readonly upgrade: boolean;
  /** It is an HTTP request, by the function's URL or with a method or path of its own; false: a plain invoke, whose body is all there is to it. */
  readonly viaUrl: boolean;
  /** The whole body, or its beginning when `more`. */
  readonly body: Uint8Array;
  readonly more: boolean;
  /** The length of the whole body, where it is known. */
  readonly bodyBytes: number | undefined;
  /** The agent's own headers for the image (`longshore-invocation-id` …). */
  readonly addedHeaders: HeaderList;
}

/** Handle on an invocation that runs. */
export interface ContractRun {
  /** A further part of the request body; false when the producer should wait for `answer.requestDrained`. */
  write(bytes: Uint8Array): boolean;
  /** The request body is whole. */
  endRequest(): void;
  /** The request body broke off: the caller is gone or its frames were wrong. */
  abort(): void;
  /** Stop producing, go on producing the answer: the caller's credit is used up, or there is more. */
  pause(): void;
  resume(): void;
}

/** Where a contract puts what an instance answers. Order: `head`, then any number of `data`, then `end`; or `end` alone. */
export interface AnswerSink {
  /** `bodyBytes`: how long the body will be, where that is known already. */
  head(head: Pick<AnswerHead, "status" | "headers">, bodyBytes?: number): void;
  data(bytes: Uint8Array): void;
  /** The contract's classification. `broken`: the connection or program ended early; the agent adds what the engine knows (exit code, OOM). */
  end(ending: ContractEnding): void;
  requestDrained(): void;
  /** A line or more for the logs, and for the stderr tail of a failure. */
  log(stream: "stdout" | "stderr", bytes: Uint8Array): void;
}

export type ContractEnding =
  | { readonly kind: "finished"; readonly result: InvocationResult; readonly reusable: boolean }
  | { readonly kind: "broken"; readonly message: string; /** True when no byte of the request reached the instance. */ readonly notStarted: boolean }
  /** Our own error: the request cannot be delivered as it is, or (`reusable` false) the instance cannot be talked to at all. */
  | { readonly kind: "refused"; readonly error: LongshoreError; readonly reusable: boolean };
