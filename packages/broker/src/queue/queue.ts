import { acceptedProtocolVersion, type AgentAddress, type AgentId, confirmAnswerSchema, type Frame, type FunctionName, type InvocationId, type InvocationList, type InvocationPageQuery, type InvocationRecord, type InvocationView, LongshoreError, type PendingInvocation, type QueueBroker, type QueueView as QueueSurvey, type TenantId } from "@longshore/protocol";
import type { Logger } from "pino";
import type { Bus } from "../bus/bus.ts";
import type { FoundInvocation, Listed, QueuedInvocation, QueueEntry } from "../bus/queue-store.ts";
import type { Clock } from "../clock.ts";
import { readStoredRecord, type StoredRecord } from "../invocation/records.ts";
import type { InvocationRequest } from "../invocation/request.ts";
import type { CredentialBook } from "../registry/credentials.ts";
import { functionNotFound, type Registry } from "../registry/registry.ts";
import type { AgentEntry } from "../roster/agent-entry.ts";
import type { Asker } from "../roster/ask-agent.ts";
import type { Roster } from "../roster/roster.ts";
import { Endings } from "./endings.ts";
import { defaultMaxAgeMs, maxQueuedBytes } from "./limits.ts";
import { Overdue } from "./overdue.ts";
import { OwnedPartitions } from "./owned-partitions.ts";
import { PresentBrokers } from "./present-brokers.ts";
import { QueueIndex } from "./queue-index.ts";
import { QueueRunner } from "./queue-runner.ts";
import { SentWork } from "./sent-work.ts";
import { Settlements } from "./settlements.ts";
import { surveyQueue } from "./survey.ts";
import { digestOf, pendingView, readStored, storedOf } from "./stored-invocation.ts";
import { type AskedAttempt, Unconfirmed } from "./unconfirmed.ts";
import { WebhookRunner, type WebhookRunnerOptions } from "./webhook-runner.ts";

export interface QueueOptions {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly registry: Pick<Registry, "find">;
  readonly roster: Roster;
  readonly credentials: CredentialBook;
  readonly asker: Asker;
  readonly webhooks: Pick<WebhookRunnerOptions, "secrets" | "deliver">;
  /** A terminal record was stored, by this broker. */
  readonly ended: (tenantId: TenantId, record: InvocationRecord) => void;
  /** An invocation whose caller waits is begun within that time, or not at all. */
  readonly onceWithinMs: number;
  /** Why nothing may be accepted now, if so. */
  readonly refusal: () => LongshoreError | undefined;
  readonly log: Logger;
}

/** An invocation to be accepted: everything checked, its body whole. */
export interface Submission extends Pick<InvocationRequest, "tenantId" | "functionName" | "invocationId" | "where" | "timeoutMs" | "request" | "viaUrl" | "body"> {
  /** Epoch milliseconds; absent: it may begin at once. */
  readonly notBeforeMs?: number | undefined;
  /** How long it may take, from then on, until it is begun the last time; absent: six hours. */
  readonly maxAgeMs?: number | undefined;
  /** Its caller waits: one attempt at most may begin. */
  readonly once?: boolean;
  /** The dead letter that it is submitted again from. */
  readonly redriveOf?: string;
}

/** An accepted invocation as it stands. */
export type QueueView = PendingInvocation | ({ readonly state: "finished" } & StoredRecord);

/** What became of a submission; not new: the same was accepted before. */
export interface Accepted {
  readonly isNew: boolean;
  readonly view: QueueView;
}

/** An agent answers within that time, or is not there. */
const answerWithinMs = 5_000;
/** What an outcome may take to be stored. */
const onceGraceMs = 5_000;
/** Heartbeats of many agents are looked at together. */
const gatherMs = 50;

/** Accepted invocations, from submission to record: taken, tried, shown, cancelled. */
export class Queue {
  readonly #options: QueueOptions;
  readonly #index = new QueueIndex();
  readonly #brokers: PresentBrokers;
  readonly #partitions: OwnedPartitions;
  readonly #unconfirmed: Unconfirmed;
  readonly #runner: QueueRunner;
  readonly #webhooks: WebhookRunner;
  readonly #sentWork: SentWork;
  readonly #overdue: Overdue;
  readonly #endings: Endings;
  readonly #settlements: Settlements;
  readonly #tooOld = new Set<AgentEntry>();
  #cancelGather: (() => void) | undefined;
  #isClosed = false;

  constructor(options: QueueOptions) {
    const { bus, clock, registry, roster, credentials, asker, log } = options;
    const { queue } = bus.store;
    this.#options = options;
    this.#endings = new Endings(clock);
    this.#settlements = new Settlements(asker, log);
    this.#unconfirmed = new Unconfirmed({
      clock,
      log,
      isHeard: (agentId) => {
        const agent = roster.get(agentId);
        return agent !== undefined && roster.isHeard(agent);
      },
      confirm: (agent, attempts) => this.#confirm(agent, attempts),
      unknown: (entry) => this.#runner.disowned(entry, roster.get(entry.sentTo?.agentId ?? ("" as AgentId))?.joined?.joinedAt),
    });
    this.#webhooks = new WebhookRunner({ ...options.webhooks, queue, registry, clock, random: Math.random });
    this.#runner = new QueueRunner({
      webhooks: this.#webhooks,
      index: this.#index,
      queue,
      bus,
      registry,
      placement: roster.placement,
      tooOld: this.#tooOld,
      credentials,
      settle: (agent, attempt) => this.#settlements.settle(agent, attempt),
      begun: (claimed) => this.#unconfirmed.begun(claimed),
      ended: options.ended,
      clock,
      log,
    });
    this.#sentWork = new SentWork({ canSpeak: (agentId) => roster.get(agentId)?.joined !== undefined, abandoned: (entry) => this.#runner.abandoned(entry), clock, log });
    this.#overdue = new Overdue({ queue, end: (overdue) => this.#runner.overdue(overdue), clock, log });
    this.#brokers = new PresentBrokers({ brokerId: bus.brokerId, store: bus.store, clock, log, state: () => this.#state, changed: () => this.#partitions.reconsider() });
    this.#partitions = new OwnedPartitions({ brokerId: bus.brokerId, brokers: this.#brokers, queue, stands: (entry) => this.#stands(entry), forget: (partition) => this.#forget(partition) });
    queue.onEnded((tenantId, invocationId) => this.#ended(tenantId, invocationId));
    roster.observe({ heard: () => this.#capacityChanged(), changed: (agent) => this.#agentChanged(agent), gone: (agent) => void this.#tooOld.delete(agent) });
  }

  /** How much is queued in this broker's partitions, and how much of it is with agents by its sending. */
  get load(): { readonly queued: number; readonly sent: number } {
    return { queued: this.#index.size, sent: this.#runner.running };
  }

  /** The brokers that are there, this one among them. */
  get brokers(): readonly string[] {
    return this.#brokers.ids;
  }

  /** Of this broker, for those who look at the queue. */
  get #state(): QueueBroker {
    const unreadable = this.#runner.unreadable + this.#overdue.unreadable;
    return { partitions: this.#partitions.numbers.length, queued: this.#index.size, unconfirmed: this.#unconfirmed.size, unreadable };
  }

  /** Begins to try what is queued. */
  async start(): Promise<void> {
    await this.#brokers.start();
    this.#partitions.reconsider();
    this.#overdue.start();
  }

  /** Claims nothing more; what agents have goes on, and other brokers take up what is queued. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelGather?.();
    this.#runner.close();
    this.#webhooks.close();
    this.#unconfirmed.close();
    this.#sentWork.close();
    this.#overdue.close();
    this.#partitions.close();
    this.#endings.close();
    await this.#brokers.close();
  }

  /**
   * Resolves once it is on disk. The same submission again (id, function, method, path and body) is taken for the first, and resolves too. Throws
   * `function_not_found`, `payload_too_large`, `invocation_exists`: the id was used for another one; `bus_down`: nobody can tell whether
   * it was accepted, so it may be submitted again under the same id; `store_full`.
   */
  async accept(submission: Submission): Promise<Accepted> {
    const { tenantId, functionName, invocationId, body } = submission;
    this.#check(submission);
    const acceptedAt = this.#options.clock.date();
    const notBeforeMs = Math.max(submission.notBeforeMs ?? 0, acceptedAt.getTime());
    const terms = { attempt: 1, notBeforeMs, expiresAtMs: notBeforeMs + (submission.maxAgeMs ?? defaultMaxAgeMs), sentUntilMs: 0 };
    const stored = storedOf(submission, acceptedAt);
    const key = { tenantId, functionName, invocationId };
    if (await this.#options.bus.store.queue.accept(key, terms, stored, body)) return { isNew: true, view: pendingView({ ...key, ...terms }, stored) };
    return this.#acceptedBefore(submission);
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

  /** What has not ended, or what has, in order of its last change. */
  async list(tenantId: TenantId, { state, function: functionName, after, limit }: InvocationPageQuery): Promise<InvocationList> {
    const listed = await this.#options.bus.store.queue.list(state === "pending" ? "entry" : "record", { tenantId, functionName: functionName ?? "*", after, limit });
    const next = listed.length === limit ? listed.at(-1)?.sequence : undefined;
    return { invocations: listed.map((each) => listedView(each, state)), ...(next !== undefined && { next }) };
  }

  /** Accepted work as it stands, and what brokers and agents say of it; of what is named only the tenant's own. */
  survey(tenantId: TenantId): Promise<QueueSurvey> {
    const { bus, registry, roster, asker, clock } = this.#options;
    return surveyQueue({ queue: bus.store.queue, brokers: this.#brokers, registry, roster, asker, nowMs: clock.date().getTime(), tooOld: this.#tooOld }, tenantId);
  }

  /** Undefined when no such invocation was accepted. */
  async find(tenantId: TenantId, invocationId: InvocationId): Promise<QueueView | undefined> {
    const found = await this.#options.bus.store.queue.find(tenantId, invocationId);
    return found === undefined ? undefined : viewOf(found);
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
    if (this.#isClosed) return; // It will say so again, to another.
    this.#runner.outcome(from, frame).catch((err: unknown) => {
      this.#options.log.warn({ err, agentId: from.agentId }, "outcome not taken; its agent will tell it again");
    });
  }

  #check({ tenantId, functionName, body }: Submission): void {
    const action = `Cannot accept an invocation of "${functionName}"`;
    if (this.#isClosed) throw new LongshoreError("broker_draining", `${action}: this broker is shutting down`, { phase: "admission", retryAfterMs: 1_000 });
    if (this.#options.registry.find(tenantId, functionName) === undefined) throw functionNotFound(functionName);
    const refusal = this.#options.refusal();
    if (refusal !== undefined) throw refusal;
    if (body.length > maxQueuedBytes) throw new LongshoreError("payload_too_large", `${action}: its body has ${body.length} bytes, at most ${maxQueuedBytes} can be queued`, { phase: "admission", field: "body" });
  }

  /** What has that id already: the same, or another one. */
  async #acceptedBefore(submission: Submission): Promise<Accepted> {
    const { tenantId, functionName, invocationId } = submission;
    const found = await this.#options.bus.store.queue.find(tenantId, invocationId);
    if (found !== undefined && isSame(found, functionName, digestOf(submission))) return { isNew: false, view: viewOf(found) };
    throw new LongshoreError("invocation_exists", `Cannot accept an invocation of "${functionName}": the id ${invocationId} was used before, for another request`, { phase: "admission", field: "invocationId" });
  }

  /** False when it has moved on meanwhile. */
  async #markCancelled(found: QueuedInvocation): Promise<boolean> {
    const { attempt, notBeforeMs, expiresAtMs, sentUntilMs, sentTo, head } = found;
    return (await this.#options.bus.store.queue.again(found, { attempt, notBeforeMs, expiresAtMs, sentUntilMs, sentTo, isCancelled: true }, head)) !== undefined;
  }

  #stands(entry: QueueEntry): void {
    this.#index.add(entry, this.#options.clock.date().getTime());
    this.#unconfirmed.stands(entry);
    this.#sentWork.stands(entry);
    this.#runner.stands(entry);
  }

  #forget(partition: number): void {
    this.#index.forget(partition);
    this.#unconfirmed.forget(partition);
    this.#sentWork.forget(partition);
    this.#runner.forget();
  }

  #ended(tenantId: TenantId, invocationId: InvocationId): void {
    this.#index.ended(tenantId, invocationId);
    this.#unconfirmed.ended(tenantId, invocationId);
    this.#sentWork.ended(tenantId, invocationId);
    this.#runner.ended(tenantId, invocationId);
    this.#endings.ended(tenantId, invocationId);
  }

  #agentChanged(agent: AgentEntry): void {
    if ((agent.introduction?.protocolVersion ?? acceptedProtocolVersion) < acceptedProtocolVersion) this.#tooOld.add(agent);
    else this.#tooOld.delete(agent);
    this.#capacityChanged();
  }

  #capacityChanged(): void {
    this.#cancelGather ??= this.#options.clock.after(gatherMs, () => {
      this.#cancelGather = undefined;
      this.#runner.capacityChanged();
    });
  }

  async #confirm(agent: AgentAddress, attempts: readonly AskedAttempt[]): Promise<readonly InvocationId[]> {
    const answer = await this.#options.asker.ask(agent, { ask: "confirm", attempts: [...attempts] }, { silenceMs: answerWithinMs });
    return confirmAnswerSchema.parse(answer).unknown.map(({ invocationId }) => invocationId);
  }
}

function listedView(listed: Listed, state: InvocationPageQuery["state"]): InvocationView {
  if (state === "pending") return pendingView({ ...listed, ...listed.terms }, readStored(listed.head, listed.invocationId));
  return { state: "finished", record: readStoredRecord(listed, listed.invocationId).record };
}

function viewOf(found: FoundInvocation): QueueView {
  if (found.state === "queued") return pendingView(found, readStored(found.head, found.invocationId));
  return { state: "finished", ...readStoredRecord(found, found.invocationId) };
}

function isSame(found: FoundInvocation, functionName: FunctionName, digest: string): boolean {
  return found.functionName === functionName && (found.head as { digest?: unknown } | null)?.digest === digest;
}
