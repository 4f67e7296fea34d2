import type { AgentAddress, Frame, InvocationId, InvocationList, InvocationPageQuery, LongshoreError, QueueView as QueueSurvey, TenantId } from "@longshore/protocol";
import type { BodyWriting } from "../bus/body-store.ts";
import type { QueuedInvocation } from "../bus/queue-store.ts";
import type { StoredRecord } from "../invocation/records.ts";
import type { Tracing } from "../traces/tracing.ts";
import { answerOwner } from "./answer-fetch.ts";
import { Endings } from "./endings.ts";
import { listedView, type QueueView, readEach, unreadableView, viewOf } from "./queue-view.ts";
import { QueueWork, type QueueWorkOptions } from "./queue-work.ts";
import { type Accepted, type Submission, Submissions, type SubmissionTerms } from "./submissions.ts";
import { surveyQueue } from "./survey.ts";

export interface QueueOptions extends QueueWorkOptions {
  /** An invocation whose caller waits is begun within that time, or not at all. */
  readonly onceWithinMs: number;
  /** Why nothing may be accepted now, if so. */
  readonly refusal: () => LongshoreError | undefined;
  /** Absent: traces are off. */
  readonly tracing?: Tracing | undefined;
}

/** What an outcome may take to be stored. */
const onceGraceMs = 5_000;

/** Accepted invocations, from submission to record: taken, tried, shown, cancelled. */
export class Queue {
  readonly #options: QueueOptions;
  readonly #submissions: Submissions;
  readonly #work: QueueWork;
  readonly #endings: Endings;
  readonly #surveys = new Map<TenantId, Promise<QueueSurvey>>();
  #isClosed = false;

  constructor(options: QueueOptions) {
    const { bus, clock, registry, refusal, tracing } = options;
    const { queue } = bus.store;
    this.#options = options;
    this.#submissions = new Submissions({ queue, bodies: bus.store.bodies, registry, refusal, clock, tracing });
    this.#work = new QueueWork(options);
    this.#endings = new Endings(clock);
    queue.onEnded((tenantId, invocationId) => this.#endings.ended(tenantId, invocationId));
  }

  /** How much is queued in this broker's partitions, and how much of it is with agents by its sending. */
  get load(): QueueWork["load"] {
    return this.#work.load;
  }

  /** The brokers that are there, this one among them. */
  get brokers(): readonly string[] {
    return this.#work.brokers.ids;
  }

  /** Begins to try what is queued. */
  start(): Promise<void> {
    return this.#work.start();
  }

  /** Accepts and claims nothing more; what agents have goes on, and other brokers take up what is queued. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#submissions.close();
    this.#endings.close();
    await this.#work.close();
  }

  /** Resolves once it is on disk: {@link Submissions.accept}. */
  accept(submission: Submission): Promise<Accepted> {
    return this.#submissions.accept(submission);
  }

  /** Begins to store a payload over 256 KiB, to be accepted then: {@link Submissions.receive}. */
  receive(terms: SubmissionTerms): BodyWriting {
    return this.#submissions.receive(terms);
  }

  /** Accepts it for a caller who waits: it begins soon or not, once at most. Resolves when it has ended, or ought to have. Throws as {@link accept} does. */
  async answer(submission: Submission): Promise<Accepted> {
    const { tenantId, functionName, invocationId } = submission;
    const { registry, onceWithinMs } = this.#options;
    const accepted = await this.accept({ ...submission, maxAgeMs: onceWithinMs, once: true });
    const { timeoutMs = 0, startTimeoutMs = 0, stopGraceMs = 0 } = registry.find(tenantId, functionName)?.spec ?? {};
    const view = await this.whenEnded(tenantId, invocationId, onceWithinMs + startTimeoutMs + timeoutMs + stopGraceMs + onceGraceMs);
    return { ...accepted, view: view ?? accepted.view };
  }

  /** What has not ended, or what has, in order of its last change; what cannot be read beside it. */
  async list(tenantId: TenantId, { state, function: functionName, after, limit }: InvocationPageQuery): Promise<InvocationList> {
    const listed = await this.#options.bus.store.queue.list(state === "pending" ? "entry" : "record", { tenantId, functionName: functionName ?? "*", after, limit });
    const next = listed.length === limit ? listed.at(-1)?.sequence : undefined;
    const { views, unreadable } = readEach(listed, (each) => listedView(each, state), (each) => unreadableView(each, state));
    return { invocations: views, ...(unreadable.length > 0 && { unreadable }), ...(next !== undefined && { next }) };
  }

  /** Accepted work as it stands, and what brokers and agents say of it; of what is named only the tenant's own. */
  survey(tenantId: TenantId): Promise<QueueSurvey> {
    const under = this.#surveys.get(tenantId);
    if (under !== undefined) return under; // One reading of all that is queued serves all who ask meanwhile.
    const survey = this.#survey(tenantId).finally(() => this.#surveys.delete(tenantId));
    this.#surveys.set(tenantId, survey);
    return survey;
  }

  #survey(tenantId: TenantId): Promise<QueueSurvey> {
    const { bus, registry, roster, asker, clock } = this.#options;
    const { brokers, tooOld, tooOldForParts } = this.#work;
    return surveyQueue({ queue: bus.store.queue, brokers, registry, roster, asker, nowMs: clock.date().getTime(), tooOld, tooOldForParts }, tenantId);
  }

  /** Undefined when no such invocation was accepted. */
  async find(tenantId: TenantId, invocationId: InvocationId): Promise<QueueView | undefined> {
    const found = await this.#options.bus.store.queue.find(tenantId, invocationId);
    return found === undefined ? undefined : viewOf(found);
  }

  /** The answer that a record was stored with, whole or in parts as they are read. */
  answerOf(tenantId: TenantId, { record, body, answer }: StoredRecord): Uint8Array | AsyncIterable<Uint8Array> {
    return answer === undefined ? body : this.#options.bus.store.bodies.read(answerOwner({ tenantId, invocationId: record.invocationId as InvocationId }), answer);
  }

  /** Resolves with it once it has its record, or with what it is after that time. */
  async whenEnded(tenantId: TenantId, invocationId: InvocationId, waitMs: number): Promise<QueueView | undefined> {
    const endMs = this.#options.clock.nowMs() + waitMs;
    for (;;) {
      const leftMs = Math.max(0, endMs - this.#options.clock.nowMs());
      const ended = this.#endings.wait(tenantId, invocationId, leftMs);
      const found = await this.find(tenantId, invocationId);
      if (found === undefined || found.state === "finished" || leftMs <= 0 || this.#isClosed) {
        ended.cancel();
        return found;
      }
      await ended.promise;
    }
  }

  /** Ends it wherever it is; false: no such invocation was accepted. One that has ended stays as it is. */
  async cancel(tenantId: TenantId, invocationId: InvocationId): Promise<boolean> {
    const { queue } = this.#options.bus.store;
    for (;;) {
      const found = await queue.find(tenantId, invocationId);
      if (found === undefined) return false;
      if (found.state === "finished" || found.isCancelled === true || found.isOverdue === true) return true;
      if (await this.#markCancelled(found)) return true;
    }
  }

  /** An agent says what became of an attempt. */
  outcome(from: AgentAddress, frame: Frame): void {
    this.#work.outcome(from, frame);
  }

  /** False when it has moved on meanwhile. */
  async #markCancelled(found: QueuedInvocation): Promise<boolean> {
    const { attempt, notBeforeMs, expiresAtMs, sentUntilMs, sentTo, head } = found;
    return (await this.#options.bus.store.queue.again(found, { attempt, notBeforeMs, expiresAtMs, sentUntilMs, sentTo, isCancelled: true }, head)) !== undefined;
  }
}
