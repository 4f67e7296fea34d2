import { type AnswerHead, type InvocationResult, LongshoreError, type Revision } from "@longshore/protocol";
import type { Clock } from "../clock.ts";
import type { AnswerSink, Contract, ContractCall, ContractEnding, ContractRun } from "../contracts/contract.ts";
import type { InstancePool, Lease, SlotWaiter } from "../instances/pool.ts";
import type { Journal } from "../journal/journal.ts";
import type { Logger } from "../log.ts";
import { Answer } from "./answer.ts";
import { resultOf } from "./classify.ts";
import type { KnownRevisions } from "./revisions.ts";
import type { RunHandle, RunReply, RunRequest } from "./sink.ts";

export interface RunnerOptions {
  readonly pool: Pick<InstancePool, "acquire">;
  readonly revisions: KnownRevisions;
  readonly contractOf: (name: Revision["spec"]["contract"]) => Contract;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly log: Logger;
}

/** How long the engine may take to tell how a container ended, once its connection broke. */
const evidenceMs = 1_000;
/** A tunnel lives at most this long. */
const tunnelMs = 3_600_000;
/** A connection that was stale before a byte was sent is no fault of the invocation; so many other instances are tried. */
const otherInstances = 2;
/** How long the first words of a program that tells its success only at its end are held. */
const settleMs = 50;

/** Makes the function that begins runs. */
export function createRunner(options: RunnerOptions): (request: RunRequest, reply: RunReply) => RunHandle {
  return (request, reply) => {
    const { order } = request;
    if (order.revision !== undefined) options.revisions.remember(order.revision);
    const revision = order.revision ?? options.revisions.find(order.revisionDigest);
    if (revision === undefined) {
      queueMicrotask(() => reply.refuse(new LongshoreError("revision_unknown", "Cannot run: the agent does not know the revision", { phase: "admission" })));
      return { data: () => undefined, endRequest: () => undefined, resume: () => undefined, cancel: () => undefined };
    }
    return new Run(options, request, revision, reply);
  };
}

/**
 * One invocation at this agent, from its order to its one result.
 *
 * ```
 *  waiting ──▶ running ──▶ over
 *     └───────────┴── cancelled, out of time ──▶ over
 * ```
 * Invariants: R1 exactly one of `reply.complete`, `reply.end`, `reply.refuse` is called. R2 a start record is in the journal before
 * the instance hears of the invocation. R3 the slot is released exactly once. R4 `cancelled` of an instance that was its alone is
 * said only once its container is gone.
 */
class Run implements RunHandle, SlotWaiter {
  readonly #options: RunnerOptions;
  readonly #request: RunRequest;
  readonly #revision: Revision;
  readonly #reply: RunReply;
  readonly #answer: Answer;
  readonly #acceptedMs: number;
  readonly #deadlineAtMs: number;
  #cancelDeadline: () => void;
  #stopWaiting: () => void;
  /** Parts of the request that came before there was an instance. */
  readonly #early: Uint8Array[] = [];
  #hasRequestEnded: boolean;
  #lease: Lease | undefined;
  #contractRun: ContractRun | undefined;
  #begunMs = 0;
  #startMs = 0;
  /** Bytes that the instance was given and has not taken yet. */
  #untakenBytes = 0;
  #furtherBytes = 0;
  #retriesLeft = otherInstances;
  #isOver = false;

  constructor(options: RunnerOptions, request: RunRequest, revision: Revision, reply: RunReply) {
    const { order } = request;
    this.#options = options;
    this.#request = request;
    this.#revision = revision;
    this.#reply = reply;
    this.#answer = new Answer(reply, options.clock);
    this.#acceptedMs = options.clock.monotonicMs();
    this.#deadlineAtMs = options.clock.wallMs() + order.remainingMs;
    this.#hasRequestEnded = !order.more;
    this.#cancelDeadline = options.clock.after(order.remainingMs, () => this.cancel("deadline"));
    this.#stopWaiting = () => undefined;
    this.#wait();
  }

  data(bytes: Uint8Array): void {
    this.#furtherBytes += bytes.length;
    if (this.#isOver) this.#reply.requestConsumed(bytes.length);
    else if (this.#contractRun === undefined) this.#early.push(bytes);
    else this.#pass(this.#contractRun, bytes);
  }

  endRequest(): void {
    this.#hasRequestEnded = true;
    this.#contractRun?.endRequest();
  }

  resume(): void {
    this.#contractRun?.resume();
  }

  cancel(reason: "abandoned" | "requested" | "deadline"): void {
    if (this.#isOver) return;
    const lease = this.#lease;
    if (lease === undefined) return this.#giveUpWaiting(reason);
    this.#isOver = true;
    this.#cancelDeadline();
    this.#answer.drop();
    const wasAlone = lease.isAlone();
    this.#contractRun?.abort();
    lease.release(false);
    const result: InvocationResult = reason === "deadline"
      ? { outcome: "timed_out", message: `The function did not finish within ${Math.round(this.#request.order.remainingMs)} ms`, ...this.#stderrTail(lease) }
      : { outcome: "cancelled", message: reason === "requested" ? "Cancelled by request" : "The caller went away" };
    if (!wasAlone) return this.#finish({ ...result, stopProven: false });
    if (reason === "deadline") return this.#finish(result); // The caller hears of it in time; the container has its grace.
    void lease.prepared.stop().then(() => this.#finish(result)); // R4
  }

  granted(lease: Lease): void {
    const { clock, journal, contractOf } = this.#options;
    const { order } = this.#request;
    this.#lease = lease;
    this.#begunMs = clock.monotonicMs();
    this.#startMs = this.#begunMs - this.#acceptedMs;
    journal.started({ invocationId: order.invocationId, attempt: order.attempt, instanceId: lease.instanceId }); // R2
    if (lease.running.streams !== undefined) lease.prepared.log.belongsTo(order.invocationId);
    const run = contractOf(this.#revision.spec.contract).invoke(lease.running, this.#call(), new RunSink(this));
    this.#contractRun = run;
    for (const bytes of this.#early.splice(0)) this.#pass(run, bytes);
    if (order.more && this.#hasRequestEnded) run.endRequest();
  }

  refused(error: LongshoreError): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#cancelDeadline();
    this.#reply.refuse(error);
  }

  /** The instance began to answer. */
  answerBegins(head: Pick<AnswerHead, "status" | "headers">, bodyBytes: number | undefined): void {
    if (this.#isOver) return;
    if (head.status === 101) this.#becomeTunnel();
    this.#answer.begin({ ...this.#origin(), ...(head.status !== undefined && { status: head.status }), headers: head.headers }, bodyBytes, head.status === undefined ? settleMs : 0);
  }

  answerGoesOn(bytes: Uint8Array): void {
    if (!this.#isOver && !this.#answer.data(bytes)) this.#contractRun?.pause();
  }

  requestDrained(): void {
    const bytes = this.#untakenBytes;
    this.#untakenBytes = 0;
    if (bytes > 0) this.#reply.requestConsumed(bytes);
  }

  logged(stream: "stdout" | "stderr", bytes: Uint8Array): void {
    const prepared = this.#lease?.prepared;
    if (stream === "stderr") prepared?.keepStderr(bytes);
    prepared?.log.write(stream, bytes);
  }

  answerEnds(ending: ContractEnding): void {
    const lease = this.#lease;
    if (this.#isOver || lease === undefined) return;
    if (ending.kind === "finished" && ending.result.outcome === "succeeded") {
      this.#isOver = true;
      lease.release(ending.reusable);
      this.#finish(ending.result);
    } else if (ending.kind === "refused") {
      this.#endRefused(lease, ending);
    } else if (ending.kind === "broken" && ending.notStarted && !this.#answer.hasBegun) {
      this.#tryOther(lease, ending.message);
    } else {
      void this.#endFailed(lease, ending);
    }
  }

  #endRefused(lease: Lease, ending: ContractEnding & { kind: "refused" }): void {
    this.#isOver = true;
    this.#cancelDeadline();
    lease.release(ending.reusable);
    this.#options.journal.ended({ ...this.#attempt(), outcome: ending.error.reason });
    this.#reply.refuse(ending.error);
  }

  /** No byte reached the instance: another one may serve, as long as the request is at hand from its beginning. */
  #tryOther(lease: Lease, message: string): void {
    lease.release(false);
    this.#options.journal.ended({ ...this.#attempt(), outcome: "not_started" });
    this.#lease = undefined;
    this.#contractRun = undefined;
    if (this.#retriesLeft > 0 && this.#furtherBytes === 0) {
      this.#retriesLeft -= 1;
      return this.#wait();
    }
    this.refused(new LongshoreError("instance_start_failed", `Cannot deliver to an instance of "${this.#revision.functionName}": ${message}`, { phase: "startup" }));
  }

  async #endFailed(lease: Lease, ending: Exclude<ContractEnding, { kind: "refused" }>): Promise<void> {
    this.#isOver = true;
    const evidence = await lease.prepared.evidence(ending.kind === "broken" ? evidenceMs : 0);
    const isReusable = ending.kind === "finished" ? ending.reusable : evidence.exit === undefined;
    const result = resultOf(ending, evidence, lease.prepared.stderrTail());
    lease.release(isReusable && !evidence.sawOutOfMemory);
    this.#finish(result);
  }

  #wait(): void {
    const stop = this.#options.pool.acquire(this.#revision, this);
    if (this.#lease === undefined) this.#stopWaiting = stop;
  }

  #giveUpWaiting(reason: "abandoned" | "requested" | "deadline"): void {
    this.#isOver = true;
    this.#cancelDeadline();
    this.#stopWaiting();
    if (reason !== "deadline") return this.#finish({ outcome: "cancelled", message: "Cancelled before it began" });
    this.#reply.refuse(new LongshoreError("deadline_passed", `Cannot run "${this.#revision.functionName}": no instance was ready in time`, { phase: "startup" }));
  }

  /** Hands a part of the request on; the broker may send more once it is taken. */
  #pass(run: ContractRun, bytes: Uint8Array): void {
    if (run.write(bytes) && this.#untakenBytes === 0) this.#reply.requestConsumed(bytes.length);
    else this.#untakenBytes += bytes.length;
  }

  #call(): ContractCall {
    const { order, body } = this.#request;
    const traceparent = order.request.headers.find(([name]) => name.toLowerCase() === "traceparent")?.[1];
    return {
      invocationId: order.invocationId,
      request: order.request,
      traceparent,
      deadlineAtMs: this.#deadlineAtMs,
      upgrade: order.upgrade ?? false,
      body,
      more: order.more,
      bodyBytes: order.bodyBytes,
      addedHeaders: [
        ["longshore-invocation-id", order.invocationId],
        ["longshore-deadline", new Date(this.#deadlineAtMs).toISOString()],
      ],
    };
  }

  /** The time limit was for the answer; a tunnel has its own. */
  #becomeTunnel(): void {
    this.#cancelDeadline();
    this.#cancelDeadline = this.#options.clock.after(tunnelMs, () => this.cancel("deadline"));
  }

  #finish(result: InvocationResult): void {
    this.#cancelDeadline();
    const runMs = this.#lease === undefined ? undefined : this.#options.clock.monotonicMs() - this.#begunMs;
    if (this.#lease !== undefined) this.#options.journal.ended({ ...this.#attempt(), outcome: result.outcome });
    this.#answer.end({ result, ...(runMs !== undefined && { runMs }) }, this.#origin());
  }

  #origin(): AnswerHead {
    const lease = this.#lease;
    return { complete: false, headers: [], ...(lease !== undefined && { start: lease.start, instanceId: lease.instanceId, startMs: this.#startMs }) };
  }

  #attempt(): { invocationId: string; attempt: number } {
    const { invocationId, attempt } = this.#request.order;
    return { invocationId, attempt };
  }

  #stderrTail(lease: Lease): { stderrTail?: string } {
    const stderrTail = lease.prepared.stderrTail();
    return stderrTail === undefined ? {} : { stderrTail };
  }
}

/** What a contract sees of a run. */
class RunSink implements AnswerSink {
  readonly #run: Run;
  constructor(run: Run) {
    this.#run = run;
  }
  head(head: Pick<AnswerHead, "status" | "headers">, bodyBytes?: number): void {
    this.#run.answerBegins(head, bodyBytes);
  }
  data(bytes: Uint8Array): void {
    this.#run.answerGoesOn(bytes);
  }
  end(ending: ContractEnding): void {
    this.#run.answerEnds(ending);
  }
  requestDrained(): void {
    this.#run.requestDrained();
  }
  log(stream: "stdout" | "stderr", bytes: Uint8Array): void {
    this.#run.logged(stream, bytes);
  }
}
