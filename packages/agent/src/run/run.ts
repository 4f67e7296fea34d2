import { type AnswerHead, type InvocationResult, LongshoreError, type Revision, type RunOrder } from "@longshore/protocol";
import type { Clock } from "../clock.ts";
import type { AnswerSink, Contract, ContractEnding, ContractRun } from "../contracts/contract.ts";
import type { Lease, SlotWaiter } from "../instances/lease.ts";
import type { InstancePool } from "../instances/pool.ts";
import type { Journal } from "../journal/journal.ts";
import type { Logger } from "../log.ts";
import { Answer } from "./answer.ts";
import { contractCallOf } from "./call.ts";
import { type FailedEnding, mayBeOutOfMemory, resultOf, resultOfStopped } from "./classify.ts";
import { RequestFeed } from "./request-feed.ts";
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
    if (order.revision !== undefined) options.revisions.remember(order.revision, order.credential);
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
 * said only once its container is gone, or else with `stopProven: false`.
 */
class Run implements RunHandle, SlotWaiter {
  readonly #options: RunnerOptions;
  readonly #order: RunOrder;
  readonly #body: Uint8Array;
  readonly #willBegin: (() => Promise<void>) | undefined;
  readonly #revision: Revision;
  readonly #reply: RunReply;
  readonly #answer: Answer;
  readonly #request: RequestFeed;
  readonly #acceptedMs: number;
  #deadlineAtMs: number;
  /** How long it may take, from its order or from the beginning of its tunnel. */
  #limitMs: number;
  #cancelDeadline: () => void;
  #stopWaiting: () => void = () => undefined;
  #lease: Lease | undefined;
  #contractRun: ContractRun | undefined;
  #begunMs = 0;
  #startMs = 0;
  #retriesLeft = otherInstances;
  #isOver = false;

  constructor(options: RunnerOptions, { order, body, willBegin }: RunRequest, revision: Revision, reply: RunReply) {
    this.#options = options;
    this.#order = order;
    this.#body = body;
    this.#willBegin = willBegin;
    this.#revision = revision;
    this.#reply = reply;
    this.#answer = new Answer(reply, options.clock);
    this.#request = new RequestFeed(order.more, (byteLength) => reply.requestConsumed(byteLength));
    this.#acceptedMs = options.clock.monotonicMs();
    this.#deadlineAtMs = options.clock.wallMs() + order.remainingMs;
    this.#limitMs = order.remainingMs;
    this.#cancelDeadline = options.clock.after(this.#patienceMs, () => this.cancel("deadline"));
    this.#wait();
  }

  data(bytes: Uint8Array): void {
    this.#request.data(bytes);
  }

  endRequest(): void {
    if (!this.#isOver) this.#request.end();
  }

  resume(): void {
    if (!this.#isOver) this.#contractRun?.resume();
  }

  cancel(reason: "abandoned" | "requested" | "deadline"): void {
    if (this.#isOver) return;
    const lease = this.#lease;
    if (lease === undefined) return this.#giveUpWaiting(reason);
    // A server of many is used to readers that leave its streams, and is spared; one that has not answered may never have heard.
    const isSpared = reason === "abandoned" && this.#answer.hasBegun && this.#revision.spec.concurrency > 1;
    this.#answer.drop();
    const wasAlone = lease.isAlone();
    this.#contractRun?.abort();
    this.#over(isSpared);
    const result: InvocationResult = reason === "deadline" ? { outcome: "timed_out", message: `The function did not finish within ${Math.round(this.#limitMs)} ms`, ...stderrTailOf(lease) } : cancelled(reason);
    if (isSpared || !wasAlone) return this.#finish({ ...result, stopProven: false });
    // A caller hears of it in time, and the container has its grace; where nobody waits, another attempt must not begin beside it.
    if (reason === "deadline" && this.#willBegin === undefined) return this.#finish(result);
    void lease.prepared.stop().then(() => this.#finish(result)); // R4
  }

  granted(lease: Lease): void {
    const { clock, journal } = this.#options;
    this.#lease = lease;
    this.#begunMs = clock.monotonicMs();
    this.#startMs = this.#begunMs - this.#acceptedMs;
    try {
      journal.started({ ...this.#attempt, instanceId: lease.instanceId }); // R2
    } catch (error) {
      return this.#refuse(this.#noStartRecord(error), true);
    }
    if (this.#willBegin === undefined) return this.#begin(lease);
    this.#willBegin().then(
      () => {
        if (this.#isOver) return;
        this.#limitFromNow(); // Nobody waits: its time is what it runs, not what it waited for an instance.
        this.#begin(lease);
      },
      (error: unknown) => {
        if (!this.#isOver) this.#endRefused(this.#noStartRecord(error), true);
      },
    );
  }

  refused(error: LongshoreError): void {
    if (!this.#isOver) this.#refuse(error, false);
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
    this.#request.drained();
  }

  logged(stream: "stdout" | "stderr", bytes: Uint8Array): void {
    const prepared = this.#lease?.prepared;
    if (stream === "stderr") prepared?.keepStderr(bytes);
    prepared?.log.write(stream, bytes);
  }

  answerEnds(ending: ContractEnding): void {
    const lease = this.#lease;
    if (this.#isOver || lease === undefined) return;
    if (this.#revision.spec.concurrency === 1) lease.prepared.log.flush();
    if (ending.kind === "finished" && ending.result.outcome === "succeeded") {
      this.#over(ending.reusable);
      this.#finish(ending.result);
    } else if (ending.kind === "refused") {
      this.#endRefused(ending.error, ending.reusable);
    } else if (ending.kind === "broken" && ending.notStarted && !this.#answer.hasBegun) {
      this.#tryOther(lease, ending.message);
    } else {
      void this.#endFailed(lease, ending);
    }
  }

  #begin(lease: Lease): void {
    try {
      if (this.#revision.spec.concurrency === 1) lease.prepared.log.belongsTo(this.#order.invocationId);
      const run = this.#options.contractOf(this.#revision.spec.contract).invoke(lease.running, contractCallOf(this.#order, this.#body, this.#deadlineAtMs), new RunSink(this));
      this.#begun(lease, run);
    } catch (error) {
      this.#endRefused(LongshoreError.from(error, `Cannot run "${this.#revision.functionName}"`).at("execution"), false);
    }
  }

  #noStartRecord(error: unknown): LongshoreError {
    return LongshoreError.from(error, `Cannot run "${this.#revision.functionName}": no start record could be written`).at("startup");
  }

  #begun(lease: Lease, run: ContractRun): void {
    if (this.#isOver || this.#lease !== lease) return; // It has ended already, or is with another instance.
    this.#contractRun = run;
    this.#request.connect(run);
  }

  #endRefused(error: LongshoreError, isReusable: boolean): void {
    this.#options.journal.ended({ ...this.#attempt, outcome: error.reason });
    this.#refuse(error, isReusable);
  }

  /** No byte reached the instance: another one may serve, as long as the request is at hand from its beginning. */
  #tryOther(lease: Lease, message: string): void {
    const error = new LongshoreError("instance_start_failed", `Cannot deliver to an instance of "${this.#revision.functionName}": ${message}`, { phase: "startup" });
    if (this.#retriesLeft === 0 || !this.#request.isAtBeginning) return this.#endRefused(error, false);
    this.#retriesLeft -= 1;
    this.#options.journal.ended({ ...this.#attempt, outcome: "not_started" });
    this.#lease = undefined;
    this.#contractRun = undefined;
    this.#request.disconnect();
    lease.release(false);
    this.#wait();
  }

  async #endFailed(lease: Lease, ending: FailedEnding): Promise<void> {
    this.#isOver = true; // Whatever else happens to it now, this is how it ended.
    if (ending.kind === "broken") this.#answer.drop();
    const evidence = await lease.prepared.evidence(mayBeOutOfMemory(ending) ? evidenceMs : 0);
    const isReusable = ending.kind === "finished" ? ending.reusable : evidence.exit === undefined;
    const stderrTail = lease.prepared.stderrTail();
    const result = lease.isBeingEnded() ? resultOfStopped(ending, stderrTail) : resultOf(ending, evidence, stderrTail);
    this.#over(isReusable && !evidence.sawOutOfMemory);
    this.#finish(result);
  }

  #wait(): void {
    const stop = this.#options.pool.acquire(this.#revision, this);
    if (this.#lease === undefined) this.#stopWaiting = stop;
  }

  #giveUpWaiting(reason: "abandoned" | "requested" | "deadline"): void {
    this.#stopWaiting();
    if (reason === "deadline") return this.#refuse(new LongshoreError("deadline_passed", `Cannot run "${this.#revision.functionName}": no instance was ready in time`, { phase: "startup" }), false);
    this.#over(false);
    this.#finish({ outcome: "cancelled", message: "Cancelled before it began" });
  }

  /** Nobody waits for accepted work: what was promised an instance stays until one may have started, or the start would be for nothing. */
  get #patienceMs(): number {
    return this.#willBegin === undefined ? this.#limitMs : Math.max(this.#limitMs, this.#revision.spec.startTimeoutMs);
  }

  #limitFromNow(): void {
    const { clock } = this.#options;
    this.#cancelDeadline();
    this.#deadlineAtMs = clock.wallMs() + this.#limitMs;
    this.#cancelDeadline = clock.after(this.#limitMs, () => this.cancel("deadline"));
  }

  #becomeTunnel(): void {
    this.#cancelDeadline(); // The time limit was for the answer; a tunnel has its own.
    this.#limitMs = tunnelMs;
    this.#cancelDeadline = this.#options.clock.after(tunnelMs, () => this.cancel("deadline"));
  }

  /** Lets go of everything that it held. */
  #over(isReusable: boolean): void {
    this.#isOver = true;
    this.#cancelDeadline();
    this.#request.close();
    this.#lease?.release(isReusable); // R3
  }

  #refuse(error: LongshoreError, isReusable: boolean): void {
    this.#over(isReusable);
    this.#answer.drop();
    this.#reply.refuse(error); // R1
  }

  #finish(result: InvocationResult): void {
    const runMs = this.#lease === undefined ? undefined : this.#options.clock.monotonicMs() - this.#begunMs;
    if (this.#lease !== undefined) this.#options.journal.ended({ ...this.#attempt, outcome: result.outcome });
    this.#answer.end({ result, ...(runMs !== undefined && { runMs }) }, this.#origin()); // R1
  }

  #origin(): AnswerHead {
    const lease = this.#lease;
    return { complete: false, headers: [], ...(lease !== undefined && { start: lease.start, instanceId: lease.instanceId, startMs: this.#startMs }) };
  }

  get #attempt(): { invocationId: string; attempt: number } {
    const { invocationId, attempt } = this.#order;
    return { invocationId, attempt };
  }
}

function cancelled(reason: "abandoned" | "requested"): InvocationResult {
  return { outcome: "cancelled", message: reason === "requested" ? "Cancelled by request" : "The caller went away" };
}

function stderrTailOf(lease: Lease): { stderrTail?: string } {
  const stderrTail = lease.prepared.stderrTail();
  return stderrTail === undefined ? {} : { stderrTail };
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
