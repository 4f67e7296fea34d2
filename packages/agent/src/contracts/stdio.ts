import { LongshoreError, type InvocationResult, type Revision } from "@longshore/protocol";
import { EngineError, type ContainerState } from "../engine/engine.ts";
import { type HoldStatus, TrailerScanner } from "../hold/frame.ts";
import { signalName } from "../hold/signal-name.ts";
import type { AnswerSink, Contract, ContractCall, ContractRun, InvocationStreams, ProgramEnd, RunningInstance, StartPlan } from "./contract.ts";

const defaultContentType = "application/octet-stream";
/** That much of stderr goes into the error when no line of the program has run. */
const reasonBytes = 1_000;

/**
 * Command-line images: one process for one invocation. The body is its stdin, its stdout the answer as it is written, its stderr the
 * log, and how it ended is the result.
 */
export function createStdioContract(): Contract {
  return {
    name: "stdio",
    plan: (): StartPlan => ({ mode: "run", env: [], port: undefined }),
    ready: () => Promise.resolve(), // It begins with its invocation.
    invoke(instance, call, answer) {
      const { streams } = instance;
      if (streams === undefined) throw new Error(`Instance ${instance.instanceId} has no streams to run a program on`);
      return new StdioRun(streams, instance, call, answer);
    },
    release: () => undefined,
  };
}

/** What the program is told of its invocation. */
function environmentOf(revision: Revision, call: ContractCall): string[] {
  return [
    `LONGSHORE_FUNCTION=${revision.functionName}`,
    `LONGSHORE_REVISION=${revision.revisionId}`,
    `LONGSHORE_INVOCATION_ID=${call.invocationId}`,
    `LONGSHORE_DEADLINE_MS=${Math.round(call.deadlineAtMs)}`,
    ...(call.traceparent === undefined ? [] : [`TRACEPARENT=${call.traceparent}`]),
  ];
}

/** Invariants: S1 `answer.end` is called once, after all output. S2 after the program's end nothing is written to it. */
class StdioRun implements ContractRun {
  readonly #streams: InvocationStreams;
  readonly #answer: AnswerSink;
  readonly #revision: Revision;
  readonly #stdout: TrailerScanner | undefined;
  readonly #stderr: TrailerScanner | undefined;
  #lastWords = Buffer.alloc(0);
  #hasHead = false;
  #exit: ContainerState | undefined;
  #hasStreamsEnded = false;
  #isOver = false;

  constructor(streams: InvocationStreams, instance: RunningInstance, call: ContractCall, answer: AnswerSink) {
    this.#streams = streams;
    this.#answer = answer;
    this.#revision = instance.revision;
    streams.attachment.listen({
      onStdout: (bytes) => this.#onStdout(bytes),
      onStderr: (bytes) => this.#onStderr(bytes),
      onDrain: () => answer.requestDrained(),
      onEnd: () => this.#onStreamsEnd(),
    });
    const end = streams.begin(environmentOf(instance.revision, call));
    if (end.kind === "trailer") {
      this.#stdout = new TrailerScanner(end.nonce);
      this.#stderr = new TrailerScanner(end.nonce);
    } else {
      this.#awaitExit(end);
    }
    if (call.body.length > 0) streams.attachment.write(call.body);
    if (!call.more) streams.attachment.endInput();
  }

  write(bytes: Uint8Array): boolean {
    return this.#isOver || this.#streams.attachment.write(bytes); // S2
  }

  endRequest(): void {
    if (!this.#isOver) this.#streams.attachment.endInput();
  }

  abort(): void {
    this.#isOver = true;
    this.#streams.attachment.resume(); // Whoever ends it must not wait for output that nobody reads.
  }

  pause(): void {
    if (!this.#isOver) this.#streams.attachment.pause();
  }

  resume(): void {
    if (!this.#isOver) this.#streams.attachment.resume();
  }

  #onStdout(bytes: Uint8Array): void {
    if (this.#isOver) return;
    this.#pass(this.#stdout === undefined ? bytes : this.#stdout.push(bytes));
    this.#finishIfTold();
  }

  #onStderr(bytes: Uint8Array): void {
    if (this.#isOver) return;
    this.#keep(this.#stderr === undefined ? bytes : this.#stderr.push(bytes));
    this.#finishIfTold();
  }

  #pass(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#begin(undefined);
    this.#answer.data(bytes);
  }

  #begin(bodyBytes: number | undefined): void {
    if (this.#hasHead) return;
    this.#hasHead = true;
    this.#answer.head({ headers: [["content-type", this.#revision.spec.contentType ?? defaultContentType]] }, bodyBytes);
  }

  #keep(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#answer.log("stderr", bytes);
    this.#lastWords = Buffer.concat([this.#lastWords, bytes.subarray(-reasonBytes)]).subarray(-reasonBytes);
  }

  /** Both streams carry the trailer: what comes on one may overtake the other. */
  #finishIfTold(): void {
    const status = this.#stdout?.status;
    if (status !== undefined && this.#stderr?.status !== undefined) this.#finishBy(status);
  }

  #finishBy(status: HoldStatus): void {
    if (status.kind === "not_started") return this.#refuse(status.code);
    this.#finish(resultOfStatus(status));
  }

  #onStreamsEnd(): void {
    if (this.#isOver) return;
    this.#hasStreamsEnded = true;
    if (this.#stdout === undefined || this.#stderr === undefined) return this.#finishByExit();
    this.#pass(this.#stdout.end());
    this.#keep(this.#stderr.end());
    const status = this.#stdout.status ?? this.#stderr.status;
    if (status !== undefined) return this.#finishBy(status);
    this.#over();
    this.#answer.end({ kind: "broken", message: "The program's streams ended without telling how it ended", notStarted: false });
  }

  #awaitExit({ exited }: ProgramEnd & { kind: "exit" }): void {
    exited.then(
      (state) => {
        this.#exit = state;
        this.#finishByExit();
      },
      (error: unknown) => {
        if (this.#isOver) return;
        this.#over();
        if (error instanceof LongshoreError) return this.#answer.end({ kind: "refused", error, reusable: false });
        const reason = error instanceof EngineError && error.failure === "unreachable" ? "engine_unavailable" : "instance_start_failed";
        const what = error instanceof Error ? error.message : String(error);
        this.#answer.end({ kind: "refused", error: new LongshoreError(reason, `Cannot start instance of "${this.#revision.functionName}": ${what}`, { phase: "startup", cause: error }), reusable: false });
      },
    );
  }

  /** A plain start: the engine tells the exit, and the streams end on their own. */
  #finishByExit(): void {
    if (this.#isOver || this.#exit === undefined || !this.#hasStreamsEnded) return;
    const { exitCode, oomKilled, error } = this.#exit;
    if (exitCode === undefined) {
      this.#over();
      this.#answer.end({ kind: "broken", message: error ?? "The container was removed", notStarted: false });
      return;
    }
    const signal = signalName(exitCode - 128);
    this.#finish(resultOfStatus({ ...(signal === undefined ? { kind: "exited", code: exitCode } : { kind: "signalled", signal }), oomKills: oomKilled ? 1 : 0 }));
  }

  #finish(result: InvocationResult): void {
    this.#over();
    this.#begin(0);
    this.#answer.end({ kind: "finished", result, reusable: false });
  }

  /** No line of the program has run. */
  #refuse(code: number): void {
    this.#over();
    const what = code === 127 ? "there is no such program in the image" : "its program cannot be executed";
    const words = this.#lastWords.toString("utf8").trim();
    const error = new LongshoreError("instance_start_failed", `Cannot start instance of "${this.#revision.functionName}": ${words === "" ? what : words}`, { phase: "startup" });
    this.#answer.end({ kind: "refused", error, reusable: false });
  }

  #over(): void {
    this.#isOver = true;
    this.#answer.requestDrained(); // What it did not read, it did not want.
  }
}

/** A program killed for memory tells it by its signal; that a child of it was, only the kernel's count tells. */
function resultOfStatus(status: Exclude<HoldStatus, { kind: "not_started" }>): InvocationResult {
  const evidence = status.kind === "exited" ? { exitCode: status.code } : { signal: status.signal };
  if ((status.oomKills ?? 0) > 0) return { outcome: "oom_killed", ...evidence, message: "A process of the program ran out of memory" };
  if (status.kind === "exited" && status.code === 0) return { outcome: "succeeded", exitCode: 0 };
  const message = status.kind === "exited" ? `The program exited with code ${status.code}` : `The program was ended by ${status.signal}`;
  return { outcome: "failed", ...evidence, message };
}
