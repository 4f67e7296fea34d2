import { type AgentAddress, type Frame, type FunctionName, type InvocationId, type InvocationRecord, type InvocationResult, LongshoreError, type Revision, type RunOrder, type TenantId } from "@longshore/protocol";
import type { Logger } from "pino";
import type { Bus } from "../bus/bus.ts";
import type { Along, Listed, QueuedInvocation, QueueEntry, QueueStore, QueueTerms } from "../bus/queue-store.ts";
import type { Clock } from "../clock.ts";
import type { Placement } from "../placement/placement.ts";
import type { CredentialBook } from "../registry/credentials.ts";
import { functionNotFound, type Registry } from "../registry/registry.ts";
import { revisionForAgents } from "../registry/revision.ts";
import type { AgentEntry } from "../roster/agent-entry.ts";
import { afterAttempt, type Next, type RepetitionRules } from "./after-attempt.ts";
import { Claims } from "./claims.ts";
import { deadLetterOf } from "./dead-letter.ts";
import { followUpOf, webhookFunction } from "./follow-ups.ts";
import { unheardMs } from "./limits.ts";
import type { Due, QueueIndex } from "./queue-index.ts";
import { type AttemptOutcome, readOutcome, recordOfOutcome } from "./read-outcome.ts";
import { type Sent, sendAttempt } from "./send-attempt.ts";
import { historyOf, readStored, recordWithoutAnswer, sentTo, type StoredInvocation, takenBack, withPast } from "./stored-invocation.ts";
import type { WebhookRunner } from "./webhook-runner.ts";

export interface QueueRunnerOptions {
  readonly index: QueueIndex;
  readonly queue: QueueStore;
  readonly bus: Pick<Bus, "open">;
  readonly registry: Pick<Registry, "find">;
  readonly placement: Pick<Placement, "choose" | "took" | "released" | "wasFull">;
  /** Agents that know of no accepted work: they would run it like any other, and forget it. */
  readonly tooOld: ReadonlySet<AgentEntry>;
  readonly credentials: CredentialBook;
  readonly webhooks: Pick<WebhookRunner, "canRun" | "run">;
  /** Tells an agent that what became of an attempt is stored. */
  readonly settle: (agent: AgentAddress, attempt: { readonly invocationId: InvocationId; readonly attempt: number }) => void;
  /** An agent has an attempt of its own word: it need not be asked. */
  readonly begun: (claimed: QueueEntry) => void;
  /** A terminal record was stored, by this broker. */
  readonly ended: (tenantId: TenantId, record: InvocationRecord) => void;
  readonly clock: Clock;
  readonly log: Logger;
}

/** So many are being placed, or ended, at a time. */
const atOnce = 64;
/** What fits nowhere for a reason of its own, not of its function, is looked at again after that time. */
const lookAgainMs = 5_000;
/** After a failure of the bus. */
const pauseMs = 1_000;
/** What cannot be tried for a reason of its own delays nobody else. */
const faultyAgainMs = 60_000;

/**
 * Tries what is queued, and ends it by what becomes of the attempts.
 *
 * Invariants: R1 an attempt is claimed, on disk, before anything of it is sent; who loses the claim sends nothing. R2 what may have begun is
 * taken back only by the word of its agent, or once its time is over. R3 an agent is told that an outcome is settled only once it is
 * stored, or cannot change anything any more. R4 of what was cancelled nothing is begun any more.
 */
export class QueueRunner {
  readonly #options: QueueRunnerOptions;
  readonly #claims: Claims;
  readonly #unreadable = new Set<string>();
  #busy = 0;
  #pausedUntilMs = 0;
  #cancelTimer: () => void = () => undefined;
  #isClosed = false;

  constructor(options: QueueRunnerOptions) {
    this.#options = options;
    this.#claims = new Claims(options.placement);
  }

  /** How many attempts are with agents by this broker's sending. */
  get running(): number {
    return this.#claims.size;
  }

  /** How much could not be read when it was tried last. */
  get unreadable(): number {
    return this.#unreadable.size;
  }

  /** Of partitions that another broker has now. */
  forget(): void {
    this.#unreadable.clear(); // What is still this one's is tried, and counted, again.
  }

  /** Something new may be there to be tried. */
  wake(): void {
    const { index } = this.#options;
    this.#cancelTimer();
    if (this.#isClosed) return;
    const nowMs = this.#nowMs;
    if (nowMs < this.#pausedUntilMs) return this.#wakeAt(this.#pausedUntilMs, nowMs);
    while (this.#busy < atOnce) {
      const due = index.take(nowMs, (entry) => this.#canRun(entry));
      if (due === undefined) break;
      this.#busy += 1;
      void this.#handle(due);
    }
    if (index.nextMs !== undefined) this.#wakeAt(index.nextMs, nowMs);
  }

  /** Agents have room that they had not. */
  capacityChanged(): void {
    this.#options.index.unblock();
    this.wake();
  }

  /** An entry stands: one that is with nobody takes no slot. */
  stands(entry: QueueEntry): void {
    const { tenantId, invocationId, functionName, sentUntilMs } = entry;
    this.#claims.changed(entry);
    if (sentUntilMs === 0) this.#release(tenantId, invocationId, functionName, false);
    this.wake();
  }

  /** Some broker stored the record of it. */
  ended(tenantId: TenantId, invocationId: InvocationId): void {
    this.#unreadable.delete(`${tenantId}.${invocationId}`);
    this.#claims.release(tenantId, invocationId, false);
    this.wake();
  }

  /** The agent that it was sent to has it not, and will not begin it. `joinedAt`: of the agent that says so, which may have its name from another. */
  async disowned(entry: QueueEntry, joinedAt?: string): Promise<void> {
    const { queue, index } = this.#options;
    const queued = await queue.read(entry);
    if (queued === undefined) return index.gone(entry); // It was ended, or queued again, and that was not heard, or is by now.
    const stored = readStored(queued.head, queued.invocationId);
    if (Date.parse(joinedAt ?? "") > Date.parse(stored.sent?.sentAt ?? "")) return; // R2: it is not the one that was sent it.
    if (queued.isCancelled === true) return this.#finish(queued, stored, cancelled);
    await queue.again(queued, { ...termsOf(queued), attempt: queued.attempt + 1, notBeforeMs: this.#nowMs }, takenBack(stored)); // R2
  }

  /** The server took it out of the queue, long after its time: it ends as what it was then, unless some broker ended it meanwhile. */
  async overdue({ terms, ...kept }: Listed): Promise<void> {
    const stored = readStored(kept.head, kept.invocationId);
    const result = terms.sentUntilMs > 0 ? unheard(stored) : terms.isCancelled === true ? cancelled : expired;
    return this.#finish({ ...kept, ...terms }, stored, result);
  }

  /** The agent that has it can never say what became of it, and its time is over. */
  async abandoned(entry: QueueEntry): Promise<void> {
    await this.#try({ why: "unheard", entry });
  }

  /** An agent says what became of an attempt. Throws `bad_frame`; `bus_down`: it will say so again. */
  async outcome(from: AgentAddress, frame: Frame): Promise<void> {
    const outcome = readOutcome(frame);
    const { invocationId, attempt } = outcome.orphan;
    const tenantId = outcome.orphan.tenantId as TenantId;
    const claimed = this.#claims.find(tenantId, invocationId);
    let found = claimed ?? (await this.#findQueued(tenantId, invocationId));
    if (found !== undefined) this.#release(tenantId, invocationId, found.functionName, outcome.head.start !== "warm");
    // R3: somebody may write to the entry in between, to cancel it, so that it is read and taken once more.
    while (found?.attempt === attempt && !(await this.#take(found, outcome, from))) found = await this.#findQueued(tenantId, invocationId);
    this.#options.settle(from, { invocationId, attempt }); // R3
  }

  async #findQueued(tenantId: TenantId, invocationId: InvocationId): Promise<QueuedInvocation | undefined> {
    const found = await this.#options.queue.find(tenantId, invocationId);
    if (found?.state !== "queued") return undefined;
    return found.isOverdue === true ? { ...found, isCancelled: true } : found; // Of one whose time is long over nothing is repeated.
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelTimer();
  }

  get #nowMs(): number {
    return this.#options.clock.date().getTime();
  }

  #wakeAt(atMs: number, nowMs: number): void {
    this.#cancelTimer = this.#options.clock.after(Math.max(1, atMs - nowMs), () => this.wake());
  }

  #canRun({ tenantId, functionName }: QueueEntry): boolean {
    if (functionName === webhookFunction) return this.#options.webhooks.canRun(tenantId);
    const { registry, index } = this.#options;
    const revision = registry.find(tenantId, functionName);
    if (revision !== undefined && index.activeOf({ tenantId, functionName }) >= (revision.spec.maxQueuedAtOnce ?? Number.POSITIVE_INFINITY)) return false;
    return revision === undefined || isAgent(this.#options.placement.choose(revision, {}, this.#options.tooOld));
  }

  async #handle(due: Due): Promise<void> {
    const { index, log } = this.#options;
    const { tenantId, invocationId, functionName, attempt } = due.entry;
    try {
      await this.#try(due);
      this.#unreadable.delete(`${tenantId}.${invocationId}`);
      index.settled(due.entry);
    } catch (err) {
      log.warn({ err, invocationId, functionName, attempt }, "queued invocation not tried");
      const isPassing = err instanceof LongshoreError && err.code === "unavailable";
      if (isPassing) this.#pausedUntilMs = this.#nowMs + pauseMs;
      else this.#unreadable.add(`${tenantId}.${invocationId}`);
      index.putBack(due.entry, this.#nowMs, this.#nowMs + (isPassing ? 0 : faultyAgainMs));
    }
    this.#busy -= 1;
    this.wake();
  }

  async #try({ why, entry }: Due): Promise<void> {
    const queued = await this.#options.queue.read(entry);
    if (queued === undefined) return; // It was ended, or claimed, by another: that is told.
    const stored = readStored(queued.head, queued.invocationId);
    if (why === "begin") return this.#begin(queued, stored);
    if (why === "cancelled") return this.#finish(queued, stored, cancelled); // R4
    if (why === "unheard" && stored.webhook !== undefined) return this.#sendAgain(queued, stored);
    if (why === "expired") return this.#finish(queued, stored, expired);
    await this.#follow(queued, stored, unheard(stored));
  }

  async #begin(queued: QueuedInvocation, stored: StoredInvocation): Promise<void> {
    if (stored.webhook !== undefined) return this.#deliverWebhook(queued, stored);
    const { registry, placement, index, tooOld } = this.#options;
    const revision = registry.find(queued.tenantId, queued.functionName);
    if (revision === undefined) return this.#finish(queued, stored, rejected(functionNotFound(queued.functionName)));
    const agent = placement.choose(revision, stored.where, tooOld);
    if (isAgent(agent)) return this.#attempt(queued, stored, revision, agent);
    index.putBack(queued, this.#nowMs, this.#nowMs + lookAgainMs);
  }

  async #attempt(queued: QueuedInvocation, stored: StoredInvocation, revision: Revision, agent: AgentEntry): Promise<void> {
    const { queue, clock, log } = this.#options;
    const { tenantId, invocationId, functionName, attempt } = queued;
    const limitMs = Math.min(stored.timeoutMs ?? Number.POSITIVE_INFINITY, revision.spec.timeoutMs);
    const head = sentTo(stored, agent.address, revision, clock.date());
    const terms = { ...termsOf(queued), sentUntilMs: this.#nowMs + limitMs + revision.spec.stopGraceMs + unheardMs, sentTo: agent.address };
    const incarnation = agent.incarnations.current ?? "";
    this.#claims.take(tenantId, invocationId, agent, revision);
    const sequence = await queue.again(queued, terms, head); // R1
    if (sequence === undefined) {
      this.#release(tenantId, invocationId, functionName, false);
      return this.#removeGhost(queued);
    }
    const claimed = { ...queued, ...terms, sequence, head };
    this.#claims.stored(claimed);
    // An agent may take as long to begin as its program: nothing else waits for that.
    this.#deliver(claimed, head, revision, agent, { remainingMs: limitMs, incarnation }).catch((err: unknown) => {
      log.warn({ err, invocationId, functionName, attempt }, "claimed invocation left to its agent");
    });
  }

  /** Whoever won the claim has it; but a server that was killed may have brought an entry back that has its record. */
  async #removeGhost({ tenantId, invocationId, sequence }: QueuedInvocation): Promise<void> {
    const { queue } = this.#options;
    if ((await queue.find(tenantId, invocationId))?.state === "finished") await queue.remove({ sequence });
  }

  async #deliver(claimed: QueuedInvocation, stored: StoredInvocation, revision: Revision, agent: AgentEntry, order: { readonly remainingMs: number; readonly incarnation: string }): Promise<void> {
    const sent = await this.#send(claimed, stored, revision, agent, order);
    if (sent.what === "begun") return this.#options.begun(claimed);
    if (sent.what === "ended") return this.#finish(claimed, stored, sent.result);
    if (sent.what !== "not_begun") return;
    this.#release(claimed.tenantId, claimed.invocationId, claimed.functionName, false);
    await this.#takeBack(claimed, stored, revision, agent, sent.error);
  }

  /** A receiver may be slow: nothing else waits for it. */
  #deliverWebhook(queued: QueuedInvocation, stored: StoredInvocation): void {
    const { webhooks, index, log } = this.#options;
    const { tenantId, invocationId, functionName } = queued;
    const delivered = webhooks.run(queued, stored, termsOf(queued)).then((ended) => ended && this.#finish(ended.claimed, stored, ended.result));
    delivered
      .catch((err: unknown) => log.warn({ err, invocationId, tenantId }, "webhook left to be delivered again"))
      .finally(() => {
        index.unblock({ tenantId, functionName });
        this.wake();
      });
  }

  /** The broker that delivered it is gone: it may have arrived, and is sent again under its id. */
  async #sendAgain(queued: QueuedInvocation, stored: StoredInvocation): Promise<void> {
    await this.#options.queue.again(queued, { ...termsOf(queued), attempt: queued.attempt + 1, notBeforeMs: this.#nowMs }, stored);
  }

  /** Sends the order; once more with the revision, where the agent does not know it. */
  async #send(queued: QueuedInvocation, stored: StoredInvocation, revision: Revision, agent: AgentEntry, { remainingMs, incarnation }: { readonly remainingMs: number; readonly incarnation: string }): Promise<Sent> {
    const { bus, credentials } = this.#options;
    const order = (sendRevision: boolean): RunOrder => {
      const credential = sendRevision ? credentials.find(revision.tenantId, revision.image.reference) : undefined;
      return {
        invocationId: queued.invocationId,
        attempt: queued.attempt,
        revisionDigest: revision.digest,
        ...(sendRevision && { revision: revisionForAgents(revision) }),
        ...(credential && { credential }),
        remainingMs,
        request: stored.request,
        more: false,
        bodyBytes: queued.body.length,
        ...(stored.viaUrl && { viaUrl: true }),
        accepted: { acceptedAt: stored.acceptedAt, incarnation },
      };
    };
    const knows = agent.shares.get(revision.digest)?.capacity?.imagePresent === true;
    try {
      const sent = await sendAttempt(bus, agent.address, order(!knows), queued.body).outcome;
      if (!knows || sent.what !== "not_begun" || sent.error.reason !== "revision_unknown") return sent;
      return await sendAttempt(bus, agent.address, order(true), queued.body).outcome;
    } catch (error) {
      return { what: "not_begun", error: LongshoreError.from(error, `Cannot send to agent "${agent.address.agentId}"`) }; // Nothing was sent.
    }
  }

  /** It certainly has not begun: another agent may have it, sooner or later. */
  async #takeBack(claimed: QueuedInvocation, stored: StoredInvocation, revision: Revision, agent: AgentEntry, error: LongshoreError): Promise<void> {
    if (error.reason === "agent_busy") this.#options.placement.wasFull(agent, revision);
    const next = this.#next(claimed, stored, rejected(error));
    if (next.next === "end") return this.#finish(claimed, stored, rejected(error));
    const notBeforeMs = error.reason === "agent_busy" ? this.#nowMs : next.notBeforeMs;
    await this.#options.queue.again(claimed, { ...termsOf(claimed), attempt: claimed.attempt + 1, notBeforeMs }, takenBack(stored)); // R2
  }

  /** An outcome of the attempt that is under way: its record, or another attempt. False: the entry has changed meanwhile. */
  async #take(queued: QueuedInvocation, outcome: AttemptOutcome, from: AgentAddress): Promise<boolean> {
    const { queue, clock, ended } = this.#options;
    const stored = readStored(queued.head, queued.invocationId);
    if (stored.sent?.agentId !== from.agentId || stored.sent.siteId !== from.siteId) return true; // It is not that agent's to tell.
    const record = { ...recordOfOutcome(outcome, from, clock.date()), ...historyOf(stored) };
    if (this.#next(queued, stored, record.result).next === "again") return this.#follow(queued, stored, record.result);
    if (await queue.finish(queued, record, outcome.body, this.#along(queued, stored, record, outcome.body))) ended(queued.tenantId, record);
    return true; // Where another record came first, that stays.
  }

  #release(tenantId: TenantId, invocationId: InvocationId, functionName: FunctionName, beganInstance: boolean): void {
    if (!this.#claims.release(tenantId, invocationId, beganInstance)) return;
    this.#options.index.unblock({ tenantId, functionName });
    this.wake();
  }

  /** After an attempt that left no answer to be kept. False: the entry has changed meanwhile. */
  async #follow(queued: QueuedInvocation, stored: StoredInvocation, result: InvocationResult): Promise<boolean> {
    const next = this.#next(queued, stored, result);
    if (next.next === "end") {
      await this.#finish(queued, stored, result);
      return true;
    }
    const { siteId = "", agentId = "" } = stored.sent ?? {};
    const past = { attempt: queued.attempt, siteId, agentId, endedAt: this.#options.clock.date().toISOString(), result };
    // Its start was written down, and its image began nothing: that is no attempt that counts.
    const head = result.outcome === "rejected" ? takenBack(stored) : withPast(stored, past);
    return (await this.#options.queue.again(queued, { ...termsOf(queued), attempt: queued.attempt + 1, notBeforeMs: next.notBeforeMs }, head)) !== undefined;
  }

  /** What comes of the end: a letter that can be submitted again, and what its function names as destination. */
  #along(queued: QueuedInvocation, stored: StoredInvocation, record: InvocationRecord, body: Uint8Array): Along {
    if (stored.webhook !== undefined) return {};
    const destinations = this.#options.registry.find(queued.tenantId, queued.functionName)?.spec.destinations;
    return { dead: deadLetterOf(queued, stored, record), followUp: followUpOf(queued.tenantId, stored, record, body, destinations, this.#options.clock.date()) };
  }

  #next({ expiresAtMs, tenantId, functionName, isCancelled }: QueuedInvocation, stored: StoredInvocation, result: InvocationResult): Next {
    if (isCancelled === true) return { next: "end" }; // R4
    return afterAttempt({ begun: stored.past.length + 1, result, endedAtMs: this.#nowMs, expiresAtMs }, stored.rejections, stored.once ? neverAgain : this.#rulesOf(tenantId, functionName));
  }

  /** Of a function that is gone nothing is repeated. */
  #rulesOf(tenantId: TenantId, functionName: FunctionName): RepetitionRules {
    return this.#options.registry.find(tenantId, functionName)?.spec ?? neverAgain;
  }

  async #finish(queued: QueuedInvocation, stored: StoredInvocation, result: InvocationResult): Promise<void> {
    const { queue, clock, ended } = this.#options;
    const record = recordWithoutAnswer(stored, queued, result, clock.date());
    if (await queue.finish(queued, record, nothing, this.#along(queued, stored, record, nothing))) ended(queued.tenantId, record);
  }
}

const nothing = new Uint8Array(0);
const neverAgain: RepetitionRules = { idempotent: false, retry: "never" };
const cancelled: InvocationResult = { outcome: "cancelled", message: "It was cancelled before it began" };

const expired: InvocationResult = { outcome: "expired", message: "It was not begun before its time was over" };

/** Whoever had it did not say what became of it. */
function unheard({ sent, webhook }: StoredInvocation): InvocationResult {
  const message = webhook === undefined ? `Agent "${sent?.agentId ?? ""}" did not say in time what became of it` : "The broker that delivered it did not say in time what became of it";
  return { outcome: "lost", message, error: new LongshoreError("agent_lost", message, { phase: "execution" }).toShape() };
}

/** Of one that is with no agent. */
function termsOf({ attempt, notBeforeMs, expiresAtMs, isCancelled }: QueuedInvocation): QueueTerms {
  return { attempt, notBeforeMs, expiresAtMs, sentUntilMs: 0, isCancelled };
}

function isAgent(choice: ReturnType<Placement["choose"]>): choice is AgentEntry {
  return typeof choice === "object" && !(choice instanceof LongshoreError);
}

function rejected(error: LongshoreError): InvocationResult {
  return { outcome: "rejected", message: error.message, error: error.toShape() };
}
