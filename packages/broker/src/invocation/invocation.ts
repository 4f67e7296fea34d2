import { type AnswerEnd, type AnswerHead, formatWhere, type InvocationResult, LongshoreError, type Revision, type RunOrder } from "@longshore/protocol";
import type { Bus } from "../bus/bus.ts";
import type { Clock } from "../clock.ts";
import type { Placement } from "../placement/placement.ts";
import type { CredentialBook } from "../registry/credentials.ts";
import { functionNotFound, type Registry } from "../registry/registry.ts";
import { functionKey } from "../registry/revision.ts";
import type { AgentEntry } from "../roster/agent-entry.ts";
import { tracedAnswer } from "../traces/traced-headers.ts";
import { AnswerRelay } from "./answer-relay.ts";
import { Attempt, type AttemptOwner } from "./attempt.ts";
import type { Backlog, Waiting } from "./backlog.ts";
import { type Closing, resultOfError } from "./closing.ts";
import { errorOfFailure, isNotBegun, lostResult } from "./failed-attempt.ts";
import type { InvocationLimits } from "./limits.ts";
import { orderOf } from "./order.ts";
import { backlogFull, deadlinePassed, noFreeSlot } from "./refusals.ts";
import type { AnswerFront, InvocationHandle, InvocationRequest } from "./request.ts";
import { RequestBody } from "./request-body.ts";
import { afterFailure, type Failure } from "./retry.ts";

/** What every invocation of a broker works with. */
export interface InvocationContext {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly registry: Pick<Registry, "find">;
  readonly credentials: CredentialBook;
  readonly placement: Placement;
  readonly backlog: Backlog;
  readonly limits: InvocationLimits;
  /** An attempt at an agent began, or ended. */
  sent(agent: AgentEntry, invocation: Invocation): void;
  unsent(agent: AgentEntry, invocation: Invocation): void;
  /** True while the agent's heartbeats come as they should. */
  isFresh(agent: AgentEntry): boolean;
  /** It is over; its caller has been answered. */
  finished(invocation: Invocation, closing: Closing): void;
}

/**
 * ```
 *  placing ──▶ sent ──▶ answering ──▶ ended
 *   ▲   │        │                      ▲
 *   │   ▼        │ refused, not begun   │ every phase can end
 *  waiting ◀─────┘
 * ```
 */
type Phase =
  | { readonly name: "placing" }
  | { readonly name: "waiting"; readonly leave: () => void }
  | { readonly name: "sent"; readonly attempt: Attempt }
  | { readonly name: "answering"; readonly attempt: Attempt; readonly head: AnswerHead }
  | { readonly name: "ended" };

/**
 * One invocation on this broker, from its admission to its end.
 *
 * Invariants: N1 the front hears exactly one of `complete`, `end`, `fail`. N2 once the function may have begun, no further order is
 * sent, unless it is idempotent and nothing of an answer was passed on. N3 an answer, or the lack of one, is told by the deadline
 * and its grace. N4 whatever was taken of an agent's slots is given back once. N5 where an attempt may have run, nothing that comes of later
 * ones says that it did not.
 */
export class Invocation implements InvocationHandle, AttemptOwner, Waiting {
  readonly request: InvocationRequest;
  readonly acceptedAt: Date;
  readonly arrivedMs: number;
  readonly #context: InvocationContext;
  readonly #front: AnswerFront;
  readonly #body: RequestBody;
  readonly #answer: AnswerRelay;
  readonly #functionKey: string;
  readonly #deadlineMs: number;
  #revision: Revision;
  #phase: Phase = { name: "placing" };
  #agent: AgentEntry | undefined;
  #attempts = 0;
  #failedSends = 0;
  #lastRefusal: LongshoreError | undefined;
  /** The last attempt that may have run, and of which nobody can say what it did. */
  #unknown: { readonly failure: Failure; readonly agent: AgentEntry } | undefined;
  /** Agents that this invocation is not sent to any more. */
  #excluded: Set<AgentEntry> | undefined;
  /** Set once it has stood in the backlog. */
  #waitUntilMs: number | undefined;
  #placementMs: number | undefined;
  #payloadBytes: number;
  #cancelled: "abandoned" | "requested" | undefined;
  #disarmGuard: (() => void) | undefined;
  #whereKey: string | undefined;

  constructor(context: InvocationContext, request: InvocationRequest, front: AnswerFront, revision: Revision) {
    this.#context = context;
    this.request = request;
    this.#front = front;
    this.#revision = revision;
    this.#answer = new AnswerRelay(front, (byteLength) => this.#attempt?.consumed(byteLength));
    this.#functionKey = functionKey(request.tenantId, request.functionName);
    this.#body = new RequestBody(request.body, request.more);
    this.#body.onDrain = () => {
      if (this.#cancelled === undefined) front.drain();
    };
    this.#payloadBytes = request.body.length;
    this.acceptedAt = context.clock.date();
    this.arrivedMs = context.clock.nowMs();
    this.#deadlineMs = this.arrivedMs + Math.min(request.timeoutMs ?? Number.POSITIVE_INFINITY, revision.spec.timeoutMs);
  }

  get isRunning(): boolean {
    return this.#attempt !== undefined;
  }

  get whereKey(): string {
    return (this.#whereKey ??= formatWhere(this.request.where));
  }

  /** Finds it a place, or a place in the backlog, or its end. */
  begin(): void {
    const isBehindOthers = this.#context.backlog.size > 0 && this.#context.backlog.hasLine(this.#functionKey, this.whereKey);
    if (isBehindOthers || !this.tryPlace()) this.#wait();
  }

  tryPlace(): boolean {
    const { registry, placement } = this.#context;
    const revision = registry.find(this.request.tenantId, this.request.functionName);
    if (revision === undefined) return this.#fail(functionNotFound(this.request.functionName));
    this.#revision = revision;
    if (this.#remainingMs <= 0) return this.#fail(deadlinePassed(this.request.functionName));
    const choice = placement.choose(revision, this.request.where, this.#excluded);
    if (choice === "full") return false;
    if (choice === "exhausted") return this.#fail(this.#lastRefusal ?? noFreeSlot(this.request.functionName));
    if (choice instanceof LongshoreError) return this.#fail(choice);
    // An agent without the image has to bring it, and may not know with which credential.
    return this.#send(choice, choice.shares.get(revision.digest)?.capacity?.imagePresent !== true);
  }

  expire(): void {
    const isDeadline = this.#waitUntilMs === this.#deadlineMs || this.#remainingMs <= 0; // Timers come a hair early.
    if (isDeadline) this.#fail(deadlinePassed(this.request.functionName));
    else this.#fail(this.#context.placement.explainFull(this.#revision, this.request.where) ?? noFreeSlot(this.request.functionName));
  }

  write(bytes: Uint8Array): boolean {
    if (this.#phase.name === "ended" || this.#cancelled !== undefined) return true;
    this.#payloadBytes += bytes.length;
    return this.#body.write(bytes);
  }

  endRequest(): void {
    if (this.#phase.name !== "ended" && this.#cancelled === undefined) this.#body.end();
  }

  consumed(byteLength: number): void {
    this.#answer.consumed(byteLength);
  }

  cancel(reason: "abandoned" | "requested"): void {
    if (this.#phase.name === "ended") return;
    this.#answer.readOn();
    if (this.#cancelled === undefined && (reason === "requested" || !this.request.detach)) this.#cancel(reason);
  }

  /** Somebody else asked. Its caller still reads: were bytes dropped, a run that ends first would look whole. */
  cancelById(): void {
    if (this.#phase.name !== "ended" && this.#cancelled === undefined) this.#cancel("requested");
  }

  /** The broker goes away: the run goes on, and its agent hands the outcome to another broker. */
  leaveToOthers(error: LongshoreError): void {
    if (this.#phase.name !== "ended") this.#fail(error, false);
  }

  /** A process of its agent is not heard any more. */
  agentLost(incarnation: string): void {
    if (this.#attempt?.incarnation === incarnation) this.#attempt.lost();
  }

  began(): void {
    this.#body.began(this.#isIdempotent);
  }

  answered(head: AnswerHead, body: Uint8Array): void {
    if (this.#phase.name !== "sent") return;
    const { attempt } = this.#phase;
    const placed = this.#placed(head, attempt.agent);
    this.#answer.keep(body);
    if (head.result !== undefined) return this.#end(placed, head.result, head.runMs, () => this.#answer.complete(placed, body));
    this.#body.began(false); // N2
    this.#phase = { name: "answering", attempt, head: placed };
    if (head.status === 101) this.#disarm(); // A tunnel: how long it lives is its agent's to say.
    this.#answer.head(placed);
  }

  data(bytes: Uint8Array): void {
    this.#answer.data(bytes);
  }

  ended({ result, runMs }: AnswerEnd): void {
    this.#endWith(result, runMs);
  }

  broke(failure: Failure): void {
    const attempt = this.#attempt;
    if (attempt === undefined) return;
    const hasAnswered = this.#phase.name === "answering";
    if (this.#cancelled !== undefined && !hasAnswered && isNotBegun(failure)) return this.#endWith(cancelledResult(this.#cancelled));
    const isPassing = failure.kind === "refused" && (failure.error.reason === "agent_busy" || failure.error.reason === "revision_unknown");
    if (!isPassing) this.#failedSends += 1;
    const next = afterFailure(failure, {
      sends: this.#attempts,
      failedSends: this.#failedSends,
      limits: this.#context.limits,
      canReplay: this.#body.canReplay && this.#cancelled === undefined,
      hasAnswered,
      isIdempotent: this.#isIdempotent,
      sentRevision: attempt.sentRevision,
    });
    if (next === "lost") return this.#endWith(lostResult(failure, attempt.agent));
    this.#lastRefusal = errorOfFailure(failure, attempt.agent);
    if (!isNotBegun(failure)) this.#unknown = { failure, agent: attempt.agent };
    if (next === "fail") return void this.#fail(this.#lastRefusal);
    this.#release(attempt, false);
    this.#phase = { name: "placing" };
    if (next === "send_revision") return void this.#send(attempt.agent, true);
    if (isPassing) this.#context.placement.wasFull(attempt.agent, this.#revision);
    else (this.#excluded ??= new Set()).add(attempt.agent);
    if (!this.tryPlace()) this.#wait();
  }

  get #attempt(): Attempt | undefined {
    return this.#phase.name === "sent" || this.#phase.name === "answering" ? this.#phase.attempt : undefined;
  }

  get #isIdempotent(): boolean {
    return this.#revision.spec.idempotent && this.#revision.spec.retry !== "never";
  }

  get #remainingMs(): number {
    return this.#deadlineMs - this.#context.clock.nowMs();
  }

  #wait(): void {
    const { clock, limits, backlog } = this.#context;
    const untilMs = this.#waitUntilMs ?? Math.min(clock.nowMs() + limits.backlogWaitMs, this.#deadlineMs);
    if (untilMs <= clock.nowMs()) return this.expire();
    const leave = backlog.enter(this.#functionKey, this, untilMs - clock.nowMs());
    if (leave === undefined) return void this.#fail(backlogFull(this.request.functionName, limits.backlogPerFunction));
    this.#waitUntilMs = untilMs;
    this.#phase = { name: "waiting", leave };
  }

  /** Sends the order; true, for it is placed now, or has failed. */
  #send(agent: AgentEntry, sendRevision: boolean): true {
    const attempt = new Attempt(agent, sendRevision, this.#body, this);
    this.#attempts += 1;
    this.#agent = agent;
    this.#phase = { name: "sent", attempt };
    this.#placementMs = this.#context.clock.nowMs() - this.arrivedMs;
    this.#context.placement.took(agent, this.#revision);
    this.#context.sent(agent, this);
    try {
      attempt.send(this.#context.bus, this.#order(sendRevision));
    } catch (error) {
      return this.#fail(LongshoreError.from(error, `Cannot send "${this.request.functionName}" to agent "${agent.address.agentId}"`).at("placement"));
    }
    this.#disarmGuard ??= this.#context.clock.after(this.#remainingMs + this.#context.limits.deadlineGraceMs, () => this.#overdue());
    return true;
  }

  #order(sendRevision: boolean): RunOrder {
    const { invocationId, request, trace, viaUrl, upgrade, more, body, bodyBytes = more ? undefined : body.length } = this.request;
    const introduced = sendRevision ? { credential: this.#context.credentials.find(this.#revision.tenantId, this.#revision.image.reference) } : undefined;
    const ordered = { invocationId, attempt: this.#attempts, remainingMs: this.#remainingMs, request, trace, viaUrl, more: this.#body.opening.more, bodyBytes, introduced };
    return { ...orderOf(ordered, this.#revision), ...(upgrade && { upgrade }) };
  }

  /** The agent has not said by the deadline and its grace what became of the run. */
  #overdue(): void {
    const attempt = this.#attempt;
    if (attempt === undefined) return void this.#fail(deadlinePassed(this.request.functionName));
    attempt.cancel("deadline");
    if (this.#cancelled !== undefined) return this.#endWith({ ...cancelledResult(this.#cancelled), stopProven: false });
    if (!this.#context.isFresh(attempt.agent)) return this.#endWith(lostResult({ kind: "lost" }, attempt.agent));
    const message = `The function had not answered by its deadline, ${Math.round(this.#deadlineMs - this.arrivedMs)} ms`;
    this.#endWith({ outcome: "timed_out", message, stopProven: false }); // N3
  }

  #cancel(reason: "abandoned" | "requested"): void {
    this.#cancelled = reason;
    const attempt = this.#attempt;
    if (attempt === undefined) return this.#endWith(cancelledResult(reason));
    const { clock, limits } = this.#context;
    attempt.cancel(reason);
    this.#disarm();
    const graceMs = this.#revision.spec.stopGraceMs + limits.cancelGraceMs;
    this.#disarmGuard = clock.after(graceMs, () => this.#overdue());
  }

  #disarm(): void {
    this.#disarmGuard?.();
    this.#disarmGuard = undefined;
  }

  #placed(head: AnswerHead, agent: AgentEntry): AnswerHead {
    const { siteId, agentId } = agent.address;
    const { trace } = this.request;
    return { ...head, ...(trace !== undefined && { headers: tracedAnswer(head.headers, trace) }), siteId, agentId, revisionId: this.#revision.revisionId };
  }

  #endWith(result: InvocationResult, runMs?: number): void {
    const bare: AnswerHead = { complete: true, headers: [], result, ...(runMs !== undefined && { runMs }) };
    const head = this.#attempt === undefined || this.#agent === undefined ? bare : this.#placed(bare, this.#agent);
    this.#end(this.#phase.name === "answering" ? this.#phase.head : head, result, runMs, () => this.#answer.end(head, result, runMs));
  }

  #fail(error: LongshoreError, isRecorded = true): true {
    if (this.#unknown !== undefined && isRecorded && error.phase !== "execution") {
      this.#agent = this.#unknown.agent;
      this.#endWith(lostResult(this.#unknown.failure, this.#unknown.agent)); // N5
      return true;
    }
    const head = this.#phase.name === "answering" ? this.#phase.head : undefined;
    this.#end(head, resultOfError(error), undefined, () => this.#front.fail(error), { error, isRecorded });
    return true;
  }

  #end(head: AnswerHead | undefined, result: InvocationResult, runMs: number | undefined, tell: () => void, own?: { error: LongshoreError; isRecorded: boolean }): void {
    const before = this.#phase;
    if (before.name === "ended") return; // N1
    this.#phase = { name: "ended" };
    this.#disarm();
    if (before.name === "waiting") before.leave();
    try {
      tell();
    } finally {
      if (before.name === "sent" || before.name === "answering") this.#release(before.attempt, hasBegunInstance(head, this.#revision)); // N4
      this.#context.finished(this, this.#closing(head, result, runMs, own));
      if (this.#attempts > 0) this.#context.backlog.slotFreed(this.#functionKey);
    }
  }

  #closing(head: AnswerHead | undefined, result: InvocationResult, runMs: number | undefined, own: { error: LongshoreError; isRecorded: boolean } | undefined): Closing {
    const { clock } = this.#context;
    return {
      request: this.request,
      revision: this.#revision,
      agent: this.#agent,
      attempt: this.#attempts,
      head,
      result,
      error: own?.error,
      isRecorded: own?.isRecorded !== false && (this.#attempts > 0 || this.#waitUntilMs !== undefined),
      acceptedAt: this.acceptedAt,
      finishedAt: clock.date(),
      placementMs: this.#placementMs,
      runMs,
      totalMs: clock.nowMs() - this.arrivedMs,
      payloadBytes: this.#payloadBytes,
      resultBytes: this.#answer.byteLength,
      body: this.#answer.keptBody,
    };
  }

  #release(attempt: Attempt, hasBegunInstance: boolean): void {
    attempt.close();
    this.#context.placement.released(attempt.agent, this.#revision, hasBegunInstance);
    this.#context.unsent(attempt.agent, this);
  }
}

function cancelledResult(reason: "abandoned" | "requested"): InvocationResult {
  return { outcome: "cancelled", message: reason === "abandoned" ? "The caller's connection closed" : "It was cancelled on request" };
}

/** An instance that serves many was begun for this invocation, and has slots now. */
function hasBegunInstance(head: AnswerHead | undefined, revision: Revision): boolean {
  return revision.spec.contract !== "stdio" && head?.status !== undefined && (head.start === "held" || head.start === "cold");
}
