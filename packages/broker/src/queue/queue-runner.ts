import { type AgentAddress, type Frame, type FunctionName, type InvocationId, type InvocationRecord, type InvocationResult, LongshoreError, type Revision, type RunOrder, type TenantId } from "@longshore/protocol";
import type { Logger } from "pino";
import type { Bus } from "../bus/bus.ts";
import type { QueuedInvocation, QueueEntry, QueueStore } from "../bus/queue-store.ts";
import type { Clock } from "../clock.ts";
import type { Placement } from "../placement/placement.ts";
import type { CredentialBook } from "../registry/credentials.ts";
import { functionNotFound, type Registry } from "../registry/registry.ts";
import type { AgentEntry } from "../roster/agent-entry.ts";
import { afterAttempt, type RepetitionRules } from "./after-attempt.ts";
import type { Due, QueueIndex } from "./queue-index.ts";
import { type AttemptOutcome, readOutcome, recordOfOutcome } from "./read-outcome.ts";
import { type Sent, sendAttempt } from "./send-attempt.ts";
import { readStored, recordWithoutAnswer, sentTo, type StoredInvocation, takenBack, withPast } from "./stored-invocation.ts";

export interface QueueRunnerOptions {
  readonly index: QueueIndex;
  readonly queue: QueueStore;
  readonly bus: Pick<Bus, "open">;
  readonly registry: Pick<Registry, "find">;
  readonly placement: Pick<Placement, "choose" | "took" | "released" | "wasFull">;
  readonly credentials: CredentialBook;
  /** Tells an agent that what became of an attempt is stored. */
  readonly settle: (agent: AgentAddress, attempt: { readonly invocationId: InvocationId; readonly attempt: number }) => void;
  /** A terminal record was stored, by this broker. */
  readonly ended: (tenantId: TenantId, record: InvocationRecord) => void;
  readonly clock: Clock;
  readonly log: Logger;
}

/** So many are being placed, or ended, at a time. */
const atOnce = 64;
/** An agent that has an attempt may be cut off for that long beyond its time before it counts as lost. */
const unheardMs = 3_600_000;
/** What fits nowhere for a reason of its own, not of its function, is looked at again after that time. */
const lookAgainMs = 5_000;
/** After a failure of the bus. */
const pauseMs = 1_000;

/**
 * Tries what is queued, and ends it by what becomes of the attempts.
 *
 * Invariants: R1 an attempt is claimed, on disk, before anything of it is sent; who loses the claim sends nothing. R2 what may have begun is
 * taken back only by the word of its agent, or once its time is over. R3 an agent is told that an outcome is settled only once it is
 * stored, or cannot change anything any more.
 */
export class QueueRunner {
  readonly #options: QueueRunnerOptions;
  #busy = 0;
  #pausedUntilMs = 0;
  #cancelTimer: () => void = () => undefined;
  #isClosed = false;

  constructor(options: QueueRunnerOptions) {
    this.#options = options;
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

  /** An agent says what became of an attempt. Throws `bad_frame`; `bus_down`: it will say so again. */
  async outcome(from: AgentAddress, frame: Frame): Promise<void> {
    const outcome = readOutcome(frame);
    const { invocationId, attempt } = outcome.orphan;
    const found = await this.#options.queue.find(outcome.orphan.tenantId as TenantId, invocationId);
    if (found?.state === "queued" && found.attempt === attempt) {
      const stored = readStored(found.head, invocationId);
      if (stored.sent?.agentId === from.agentId && stored.sent.siteId === from.siteId) await this.#take(found, stored, outcome, from);
    }
    this.#options.settle(from, { invocationId, attempt }); // R3
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
    const revision = this.#options.registry.find(tenantId, functionName);
    return revision === undefined || isAgent(this.#options.placement.choose(revision, {}));
  }

  async #handle(due: Due): Promise<void> {
    const { index, log } = this.#options;
    const { invocationId, functionName, attempt } = due.entry;
    try {
      await this.#try(due);
      index.settled(due.entry);
    } catch (err) {
      log.warn({ err, invocationId, functionName, attempt }, "queued invocation not tried");
      this.#pausedUntilMs = this.#nowMs + pauseMs;
      index.putBack(due.entry, this.#nowMs);
    }
    this.#busy -= 1;
    this.wake();
  }

  async #try({ why, entry }: Due): Promise<void> {
    const queued = await this.#options.queue.read(entry);
    if (queued === undefined) return; // It was ended, or claimed, by another.
    const stored = readStored(queued.head, queued.invocationId);
    if (why === "begin") return this.#begin(queued, stored);
    if (why === "expired") return this.#finish(queued, stored, { outcome: "expired", message: "It was not begun before its time was over" });
    const message = `Agent "${stored.sent?.agentId ?? ""}" did not say in time what became of it`;
    const error = new LongshoreError("agent_lost", message, { phase: "execution" }).toShape();
    return this.#follow(queued, stored, { outcome: "lost", message, error });
  }

  async #begin(queued: QueuedInvocation, stored: StoredInvocation): Promise<void> {
    const { registry, placement, index } = this.#options;
    const revision = registry.find(queued.tenantId, queued.functionName);
    if (revision === undefined) return this.#finish(queued, stored, rejected(functionNotFound(queued.functionName)));
    const agent = placement.choose(revision, stored.where);
    if (isAgent(agent)) return this.#attempt(queued, stored, revision, agent);
    index.putBack(queued, this.#nowMs, this.#nowMs + lookAgainMs);
  }

  async #attempt(queued: QueuedInvocation, stored: StoredInvocation, revision: Revision, agent: AgentEntry): Promise<void> {
    const { queue, placement, clock, log } = this.#options;
    const limitMs = Math.min(stored.timeoutMs ?? Number.POSITIVE_INFINITY, revision.spec.timeoutMs);
    const head = sentTo(stored, agent.address, revision, clock.date());
    const terms = { ...termsOf(queued), sentUntilMs: this.#nowMs + limitMs + revision.spec.stopGraceMs + unheardMs };
    placement.took(agent, revision);
    const sequence = await queue.again(queued, terms, head); // R1
    if (sequence === undefined) return placement.released(agent, revision, false);
    // An agent may take as long to begin as its program: nothing else waits for that.
    this.#deliver({ ...queued, ...terms, sequence, head }, head, revision, agent, limitMs).catch((err: unknown) => {
      log.warn({ err, invocationId: queued.invocationId, functionName: queued.functionName, attempt: queued.attempt }, "claimed invocation left to its agent");
    });
  }

  async #deliver(claimed: QueuedInvocation, stored: StoredInvocation, revision: Revision, agent: AgentEntry, limitMs: number): Promise<void> {
    const sent = await this.#send(claimed, stored, revision, agent, limitMs);
    if (sent.what === "ended") return this.#finish(claimed, stored, sent.result);
    if (sent.what !== "not_begun") return;
    this.#options.placement.released(agent, revision, false);
    await this.#takeBack(claimed, stored, revision, agent, sent.error);
  }

  /** Sends the order; once more with the revision, where the agent does not know it. */
  async #send(queued: QueuedInvocation, stored: StoredInvocation, revision: Revision, agent: AgentEntry, remainingMs: number): Promise<Sent> {
    const { bus, credentials } = this.#options;
    const order = (sendRevision: boolean): RunOrder => {
      const credential = sendRevision ? credentials.find(revision.tenantId, revision.image.reference) : undefined;
      return {
        invocationId: queued.invocationId,
        attempt: queued.attempt,
        revisionDigest: revision.digest,
        ...(sendRevision && { revision }),
        ...(credential && { credential }),
        remainingMs,
        request: stored.request,
        more: false,
        bodyBytes: queued.body.length,
        ...(stored.viaUrl && { viaUrl: true }),
        accepted: { acceptedAt: stored.acceptedAt },
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
    await this.#options.queue.again(claimed, { ...termsOf(claimed), notBeforeMs, sentUntilMs: 0 }, takenBack(stored)); // R2
  }

  /** An outcome of the attempt that is under way: its record, or another attempt. */
  async #take(queued: QueuedInvocation, stored: StoredInvocation, outcome: AttemptOutcome, from: AgentAddress): Promise<void> {
    const { queue, clock, ended } = this.#options;
    const record = recordOfOutcome(outcome, from, clock.date());
    if (this.#next(queued, stored, record.result).next === "again") return this.#follow(queued, stored, record.result);
    if (await queue.finish(queued, record, outcome.body)) ended(queued.tenantId, record);
  }

  /** After an attempt that left no answer to be kept. */
  async #follow(queued: QueuedInvocation, stored: StoredInvocation, result: InvocationResult): Promise<void> {
    const next = this.#next(queued, stored, result);
    if (next.next === "end") return this.#finish(queued, stored, result);
    const { siteId = "", agentId = "" } = stored.sent ?? {};
    const head = withPast(stored, { attempt: queued.attempt, siteId, agentId, endedAt: this.#options.clock.date().toISOString(), result });
    await this.#options.queue.again(queued, { attempt: next.attempt, notBeforeMs: next.notBeforeMs, expiresAtMs: queued.expiresAtMs, sentUntilMs: 0 }, head);
  }

  #next({ attempt, expiresAtMs, tenantId, functionName }: QueuedInvocation, stored: StoredInvocation, result: InvocationResult) {
    return afterAttempt({ attempt, result, endedAtMs: this.#nowMs, expiresAtMs }, stored.rejections, this.#rulesOf(tenantId, functionName));
  }

  /** Of a function that is gone nothing is repeated. */
  #rulesOf(tenantId: TenantId, functionName: FunctionName): RepetitionRules {
    return this.#options.registry.find(tenantId, functionName)?.spec ?? { idempotent: false, retry: "never" };
  }

  async #finish(queued: QueuedInvocation, stored: StoredInvocation, result: InvocationResult): Promise<void> {
    const { queue, clock, ended } = this.#options;
    const record = recordWithoutAnswer(stored, queued, result, clock.date());
    if (await queue.finish(queued, record, new Uint8Array(0))) ended(queued.tenantId, record);
  }
}

const termsOf = ({ attempt, notBeforeMs, expiresAtMs, sentUntilMs }: QueuedInvocation) => ({ attempt, notBeforeMs, expiresAtMs, sentUntilMs });

function isAgent(choice: ReturnType<Placement["choose"]>): choice is AgentEntry {
  return typeof choice === "object" && !(choice instanceof LongshoreError);
}

function rejected(error: LongshoreError): InvocationResult {
  return { outcome: "rejected", message: error.message, error: error.toShape() };
}
