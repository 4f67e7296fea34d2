import type { AgentAddress, AgentId, ConfirmAnswer, InvocationId, TenantId } from "@longshore/protocol";
import type { Logger } from "pino";
import type { QueueEntry } from "../bus/queue-store.ts";
import { partitionOf } from "../bus/queue-subjects.ts";
import type { Clock } from "../clock.ts";

/** An attempt that an agent is asked about; `cancel`: it is to end it. */
export interface AskedAttempt {
  readonly invocationId: InvocationId;
  readonly attempt: number;
  readonly cancel: boolean;
}

export interface UnconfirmedOptions {
  /** Asks an agent. */
  readonly confirm: (agent: AgentAddress, attempts: readonly AskedAttempt[]) => Promise<ConfirmAnswer>;
  readonly isHeard: (agentId: AgentId) => boolean;
  /** The agent has it not. */
  readonly unknown: (entry: QueueEntry) => Promise<void>;
  readonly clock: Clock;
  readonly log: Logger;
}

interface Doubt {
  readonly entry: QueueEntry;
  askAtMs: number;
}

/** An order is given that long to arrive before its agent is asked. */
const arriveMs = 5_000;
const lookEveryMs = 1_000;
const mostAtOnce = 500;

/**
 * Attempts that were sent to agents, and of which no agent has said yet that it has begun them: the broker that sent them may have died in
 * between, or the agent, or the order was lost. Each agent is asked as soon as it is there, and again of what waits there to begin; of
 * what it has begun it will tell by itself, whichever of its processes.
 */
export class Unconfirmed {
  readonly #options: UnconfirmedOptions;
  readonly #doubts = new Map<string, Doubt>();
  /** By agent: what it was sent. */
  readonly #ofAgents = new Map<AgentId, Set<Doubt>>();
  readonly #asking = new Set<AgentId>();
  #cancelTimer: (() => void) | undefined;

  constructor(options: UnconfirmedOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#doubts.size;
  }

  /** An entry stands; it takes the place of an earlier one of the same invocation. */
  stands(entry: QueueEntry): void {
    this.ended(entry.tenantId, entry.invocationId);
    if (entry.sentTo === undefined) return;
    const doubt: Doubt = { entry, askAtMs: this.#options.clock.nowMs() + (entry.isCancelled === true ? 0 : arriveMs) };
    this.#doubts.set(idOf(entry), doubt);
    const { agentId } = entry.sentTo;
    const ofAgent = this.#ofAgents.get(agentId);
    if (ofAgent === undefined) this.#ofAgents.set(agentId, new Set([doubt]));
    else ofAgent.add(doubt);
    if (entry.isCancelled === true) this.#look();
    else this.#cancelTimer ??= this.#options.clock.after(lookEveryMs, () => this.#look());
  }

  /** Its agent has it. */
  begun(entry: QueueEntry): void {
    if (this.#doubts.get(idOf(entry))?.entry.sequence === entry.sequence) this.ended(entry.tenantId, entry.invocationId);
  }

  ended(tenantId: TenantId, invocationId: InvocationId): void {
    const doubt = this.#doubts.get(idOf({ tenantId, invocationId }));
    if (doubt !== undefined) this.#remove(doubt);
  }

  /** They will be told anew, or are another broker's now. */
  forget(partition: number): void {
    for (const doubt of [...this.#doubts.values()]) if (partitionOf(doubt.entry) === partition) this.#remove(doubt);
  }

  close(): void {
    this.#cancelTimer?.();
    this.#doubts.clear();
    this.#ofAgents.clear();
  }

  #look(): void {
    const { clock, isHeard } = this.#options;
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    for (const [agentId, doubts] of this.#ofAgents) if (!this.#asking.has(agentId) && isHeard(agentId)) this.#askAbout(agentId, doubts);
    if (this.#doubts.size > 0) this.#cancelTimer = clock.after(lookEveryMs, () => this.#look());
  }

  #askAbout(agentId: AgentId, doubts: ReadonlySet<Doubt>): void {
    const nowMs = this.#options.clock.nowMs();
    const due: Doubt[] = [];
    for (const doubt of doubts) {
      if (doubt.askAtMs <= nowMs) due.push(doubt);
      if (due.length === mostAtOnce) break;
    }
    const [first] = due;
    if (first?.entry.sentTo === undefined) return;
    this.#asking.add(agentId);
    void this.#ask(first.entry.sentTo, due).finally(() => this.#asking.delete(agentId));
  }

  async #ask(agent: AgentAddress, due: readonly Doubt[]): Promise<void> {
    const { confirm, unknown, clock, log } = this.#options;
    try {
      const attempts = due.map(({ entry }) => ({ invocationId: entry.invocationId, attempt: entry.attempt, cancel: entry.isCancelled === true }));
      const answer = await confirm(agent, attempts);
      const [missing, waiting] = [idsOf(answer.unknown), idsOf(answer.waiting)];
      for (const doubt of due) {
        const { invocationId } = doubt.entry;
        if (missing.has(invocationId)) await unknown(doubt.entry);
        if (waiting.has(invocationId)) doubt.askAtMs = clock.nowMs() + arriveMs; // Should the agent die before it begins, its next process has it not.
        else this.#remove(doubt);
      }
    } catch (err) {
      log.debug({ err, agentId: agent.agentId }, "agent could not be asked what it has");
      for (const doubt of due) doubt.askAtMs = clock.nowMs() + arriveMs;
    }
  }

  #remove(doubt: Doubt): void {
    const { entry } = doubt;
    if (this.#doubts.get(idOf(entry)) === doubt) this.#doubts.delete(idOf(entry));
    const agentId = entry.sentTo?.agentId;
    const ofAgent = agentId === undefined ? undefined : this.#ofAgents.get(agentId);
    if (agentId === undefined || ofAgent?.delete(doubt) !== true || ofAgent.size > 0) return;
    this.#ofAgents.delete(agentId);
  }
}

const idsOf = (keys: ConfirmAnswer["unknown"]) => new Set<InvocationId>(keys.map(({ invocationId }) => invocationId));
const idOf = ({ tenantId, invocationId }: Pick<QueueEntry, "tenantId" | "invocationId">) => `${tenantId}.${invocationId}`;
