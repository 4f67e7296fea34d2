import { type FunctionName, type InvocationId, LongshoreError, type TenantId } from "@longshore/protocol";
import type { Logger } from "pino";
import type { QueuedInvocation, QueueEntry, QueueStore } from "../bus/queue-store.ts";
import type { Clock } from "../clock.ts";
import type { Placement } from "../placement/placement.ts";
import { functionNotFound, type Registry } from "../registry/registry.ts";
import type { AgentEntry } from "../roster/agent-entry.ts";
import type { AttemptEnds } from "./attempt-ends.ts";
import type { AttemptSender } from "./attempt-sender.ts";
import type { Claims } from "./claims.ts";
import { webhookFunction } from "./follow-ups.ts";
import { cancelled, expired, rejected, unheard } from "./own-results.ts";
import type { Due, Preference, QueueIndex } from "./queue-index.ts";
import { readStored, type StoredInvocation } from "./stored-invocation.ts";
import type { WebhookRunner } from "./webhook-runner.ts";

export interface QueueRunnerOptions {
  readonly index: QueueIndex;
  readonly queue: Pick<QueueStore, "read">;
  readonly registry: Pick<Registry, "find">;
  readonly placement: Pick<Placement, "choose">;
  /** Agents that know of no accepted work: they would run it like any other, and forget it. */
  readonly tooOld: ReadonlySet<AgentEntry>;
  /** Agents that take no payload in parts; those are among them. */
  readonly tooOldForParts: ReadonlySet<AgentEntry>;
  readonly claims: Claims;
  readonly sender: Pick<AttemptSender, "send">;
  readonly ends: Pick<AttemptEnds, "finish" | "follow" | "deliverAgain">;
  readonly webhooks: Pick<WebhookRunner, "canRun" | "run">;
  readonly clock: Clock;
  readonly log: Logger;
}

/** So many are being placed, or ended, at a time. */
const atOnce = 64;
/**
 * Of these, ended before others are begun; and ended in all. Where more comes than can be begun, what waits gets older until all of it is over
 * before its turn: were that ended first, as much effort would go into ending as into running it, and nothing would ever be begun in time again.
 */
const endingAtOnce = { first: 16, most: 48 };
/** What fits nowhere for a reason of its own, not of its function, is looked at again after that time. */
const lookAgainMs = 5_000;
/** After a failure of the bus. */
const pauseMs = 1_000;
/** What cannot be tried for a reason of its own delays nobody else. */
const faultyAgainMs = 60_000;

/**
 * Chooses what of the queue is tried next, and where, and ends what can be tried no more.
 *
 * Invariants, which {@link AttemptSender}, {@link AttemptEnds} and {@link AgentReports} keep with it: R1 an attempt is claimed, on disk,
 * before anything of it is sent; who loses the claim sends nothing. R2 what may have begun is taken back only by the word of its agent, or
 * once its time is over. R3 an agent is told that an outcome is settled only once it is stored, or cannot change anything any more. R4 of
 * what was cancelled nothing is begun any more.
 */
export class QueueRunner {
  readonly #options: QueueRunnerOptions;
  readonly #unreadable = new Set<string>();
  #busy = 0;
  #ending = 0;
  #pausedUntilMs = 0;
  #cancelTimer: () => void = () => undefined;
  #isClosed = false;

  constructor(options: QueueRunnerOptions) {
    this.#options = options;
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
      const due = index.take(nowMs, (entry) => this.#canRun(entry), this.#preference);
      if (due === undefined) break;
      this.#busy += 1;
      if (due.why !== "begin") this.#ending += 1;
      void this.#handle(due);
    }
    if (index.nextMs !== undefined) this.#wakeAt(index.nextMs, nowMs);
  }

  /** Agents have room that they had not; or there is room for that function. */
  capacityChanged(which?: { readonly tenantId: TenantId; readonly functionName: FunctionName }): void {
    this.#options.index.unblock(which);
    this.wake();
  }

  /** An entry stands: one that is with nobody takes no slot. */
  stands(entry: QueueEntry): void {
    const { claims } = this.#options;
    claims.changed(entry);
    if (entry.sentUntilMs === 0) claims.release(entry.tenantId, entry.invocationId, false);
    this.wake();
  }

  /** Some broker stored the record of it. */
  ended(tenantId: TenantId, invocationId: InvocationId): void {
    this.#unreadable.delete(`${tenantId}.${invocationId}`);
    this.#options.claims.release(tenantId, invocationId, false);
    this.wake();
  }

  /** The agent that has it can never say what became of it, and its time is over. */
  async abandoned(entry: QueueEntry): Promise<void> {
    await this.#try({ why: "unheard", entry });
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelTimer();
  }

  get #nowMs(): number {
    return this.#options.clock.date().getTime();
  }

  get #preference(): Preference {
    if (this.#ending < endingAtOnce.first) return "endings";
    return this.#ending < endingAtOnce.most ? "beginnings" : "beginnings alone";
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
    if (due.why !== "begin") this.#ending -= 1;
    this.wake();
  }

  async #try({ why, entry }: Due): Promise<void> {
    const { queue, ends } = this.#options;
    const queued = await queue.read(entry);
    if (queued === undefined) return; // It was ended, or claimed, by another: that is told.
    const stored = readStored(queued.head, queued.invocationId);
    if (why === "begin") return this.#begin(queued, stored);
    if (why === "cancelled") return ends.finish(queued, stored, cancelled); // R4
    if (why === "expired") return ends.finish(queued, stored, expired);
    if (stored.webhook !== undefined) return ends.deliverAgain(queued, stored);
    await ends.follow(queued, stored, unheard(stored)); // R2
  }

  async #begin(queued: QueuedInvocation, stored: StoredInvocation): Promise<void> {
    const { registry, placement, index, tooOld, tooOldForParts, sender, ends, webhooks } = this.#options;
    if (stored.webhook !== undefined) return webhooks.run(queued, stored);
    const revision = registry.find(queued.tenantId, queued.functionName);
    if (revision === undefined) return ends.finish(queued, stored, rejected(functionNotFound(queued.functionName)));
    const agent = placement.choose(revision, stored.where, stored.payload === undefined ? tooOld : tooOldForParts);
    if (isAgent(agent)) return sender.send(queued, { stored, revision, agent });
    index.putBack(queued, this.#nowMs, this.#nowMs + lookAgainMs);
  }
}

function isAgent(choice: ReturnType<Placement["choose"]>): choice is AgentEntry {
  return typeof choice === "object" && !(choice instanceof LongshoreError);
}
