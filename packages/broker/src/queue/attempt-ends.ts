import type { AgentAddress, FunctionName, InvocationRecord, InvocationResult, LongshoreError, TenantId } from "@longshore/protocol";
import type { BodyOwner, BodyStore, StoredBody } from "../bus/body-store.ts";
import type { Along, Listed, QueuedInvocation, QueueStore } from "../bus/queue-store.ts";
import type { Clock } from "../clock.ts";
import type { Registry } from "../registry/registry.ts";
import type { Asker } from "../roster/ask-agent.ts";
import { answerOwner, fetchAnswer } from "./answer-fetch.ts";
import { afterAttempt, type Next, type RepetitionRules } from "./after-attempt.ts";
import { deadLetterOf } from "./dead-letter.ts";
import { followUpOf } from "./follow-ups.ts";
import { removeGhost } from "./ghosts.ts";
import { idleTermsOf } from "./idle-terms.ts";
import { payloadOwner } from "./payload.ts";
import { cancelled, expired, rejected, unheard } from "./own-results.ts";
import { type AttemptOutcome, recordOfOutcome } from "./read-outcome.ts";
import { historyOf, readStored, recordWithoutAnswer, type StoredInvocation, takenBack, withPast } from "./stored-invocation.ts";

export interface AttemptEndsOptions {
  readonly queue: Pick<QueueStore, "again" | "finish" | "find" | "remove">;
  readonly bodies: Pick<BodyStore, "write" | "remove">;
  readonly asker: Asker;
  readonly registry: Pick<Registry, "find">;
  /** A terminal record was stored, by this broker. */
  readonly ended: (tenantId: TenantId, record: InvocationRecord, isDead: boolean) => void;
  readonly clock: Clock;
}

/** Stores what an attempt leads to: the terminal record with what comes of it, or the entry of the next attempt. The invariants are {@link QueueRunner}'s. */
export class AttemptEnds {
  readonly #options: AttemptEndsOptions;

  constructor(options: AttemptEndsOptions) {
    this.#options = options;
  }

  /** Ends it without an answer; where another record came first, that stays. */
  async finish(queued: QueuedInvocation, stored: StoredInvocation, result: InvocationResult): Promise<void> {
    await this.#finish(queued, stored, recordWithoutAnswer(stored, queued, result, this.#options.clock.date()), nothing);
  }

  /** The server took it out of the queue, long after its time: it ends as what it was then, unless some broker ended it meanwhile. */
  async overdue({ terms, ...kept }: Listed): Promise<void> {
    const stored = readStored(kept.head, kept.invocationId);
    const result = terms.sentUntilMs > 0 ? unheard(stored) : terms.isCancelled === true ? cancelled : expired;
    await this.finish({ ...kept, ...terms }, stored, result);
  }

  /** An outcome of the attempt that is under way: its record, or another attempt. False: the entry has changed meanwhile. */
  async answered(queued: QueuedInvocation, outcome: AttemptOutcome, from: AgentAddress): Promise<boolean> {
    const stored = readStored(queued.head, queued.invocationId);
    if (stored.sent?.agentId !== from.agentId || stored.sent.siteId !== from.siteId) return true; // It is not that agent's to tell.
    const record = { ...recordOfOutcome(outcome, from, this.#options.clock.date()), ...historyOf(stored) };
    if (this.#next(queued, stored, record.result).next === "again") return this.follow(queued, stored, record.result);
    await this.#finishWithAnswer(queued, stored, record, outcome, from);
    return true; // Where another record came first, that stays.
  }

  /** A long answer is stored before the record that names it. */
  async #finishWithAnswer(queued: QueuedInvocation, stored: StoredInvocation, record: InvocationRecord, outcome: AttemptOutcome, from: AgentAddress): Promise<void> {
    if (!outcome.bodyFollows) {
      await this.#finish(queued, stored, record, outcome.body);
      return;
    }
    const { invocationId, tenantId, attempt } = queued;
    const answer = await fetchAnswer(this.#options, from, { tenantId, invocationId, attempt, byteLength: outcome.bodyBytes });
    const isStored = await this.#finish(queued, stored, { ...record, resultKept: answer !== undefined, ...(answer && { answer }) }, nothing);
    if (!isStored && answer !== undefined) await this.#remove(answerOwner(queued), answer);
  }

  /** After an attempt that left no answer to be kept. False: the entry has changed meanwhile. */
  async follow(queued: QueuedInvocation, stored: StoredInvocation, result: InvocationResult): Promise<boolean> {
    const next = this.#next(queued, stored, result);
    if (next.next === "end") {
      await this.finish(queued, stored, result);
      return true;
    }
    const { siteId = "", agentId = "" } = stored.sent ?? {};
    const past = { attempt: queued.attempt, siteId, agentId, ...(stored.sent && { sentAt: stored.sent.sentAt }), endedAt: this.#options.clock.date().toISOString(), result };
    // Its start was written down, and its image began nothing: that is no attempt that counts.
    return this.#again(queued, result.outcome === "rejected" ? takenBack(stored) : withPast(stored, past), next.notBeforeMs);
  }

  /** It certainly has not begun: another agent may have it, sooner or later. */
  async refused(claimed: QueuedInvocation, stored: StoredInvocation, error: LongshoreError): Promise<void> {
    const next = this.#next(claimed, stored, rejected(error));
    if (next.next === "end") return this.finish(claimed, stored, rejected(error));
    if (error.reason === "agent_busy") return this.disowned(claimed, stored);
    await this.#again(claimed, takenBack(stored), next.notBeforeMs); // R2
  }

  /** The agent that it was sent to has it not, and will not begin it. */
  async disowned(queued: QueuedInvocation, stored: StoredInvocation): Promise<void> {
    await this.#again(queued, takenBack(stored), this.#nowMs); // R2
  }

  /** The broker that delivered this webhook is gone: it may have arrived, and is sent again under its id. */
  async deliverAgain(queued: QueuedInvocation, stored: StoredInvocation): Promise<void> {
    await this.#again(queued, stored, this.#nowMs);
  }

  get #nowMs(): number {
    return this.#options.clock.date().getTime();
  }

  async #again(queued: QueuedInvocation, head: StoredInvocation, notBeforeMs: number): Promise<boolean> {
    const { queue } = this.#options;
    const isStored = (await queue.again(queued, { ...idleTermsOf(queued), attempt: queued.attempt + 1, notBeforeMs }, head)) !== undefined;
    if (!isStored) await removeGhost(queued, queue);
    return isStored;
  }

  /** False: another record came first, and stays. */
  async #finish(queued: QueuedInvocation, stored: StoredInvocation, record: InvocationRecord, body: Uint8Array): Promise<boolean> {
    const { queue, ended } = this.#options;
    const along = this.#along(queued, stored, record, body);
    if (!(await queue.finish(queued, record, body, along))) {
      await removeGhost(queued, queue);
      return false;
    }
    ended(queued.tenantId, record, along.dead !== undefined);
    if (stored.payload !== undefined && along.dead === undefined) await this.#remove(payloadOwner(queued), stored.payload);
    return true;
  }

  /** Nobody needs it any more. */
  async #remove(owner: BodyOwner, { writing }: StoredBody): Promise<void> {
    await this.#options.bodies.remove(owner, writing).catch(() => undefined); // It is found among those that nobody names.
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
}

const nothing = new Uint8Array(0);
const neverAgain: RepetitionRules = { idempotent: false, retry: "never" };
