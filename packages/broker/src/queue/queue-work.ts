import { acceptedProtocolVersion, type AgentAddress, type AgentId, type ConfirmAnswer, confirmAnswerSchema, type Frame, type InvocationId, type InvocationRecord, largeBodyProtocolVersion, protocolVersion, type QueueBroker, type TenantId } from "@longshore/protocol";
import type { Logger } from "pino";
import type { Bus } from "../bus/bus.ts";
import type { QueueEntry } from "../bus/queue-store.ts";
import type { Clock } from "../clock.ts";
import type { CredentialBook } from "../registry/credentials.ts";
import type { Registry } from "../registry/registry.ts";
import type { AgentEntry } from "../roster/agent-entry.ts";
import type { Asker } from "../roster/ask-agent.ts";
import type { Roster } from "../roster/roster.ts";
import { AgentReports } from "./agent-reports.ts";
import { AttemptEnds } from "./attempt-ends.ts";
import { AttemptSender } from "./attempt-sender.ts";
import { Claims } from "./claims.ts";
import { webhookFunction } from "./follow-ups.ts";
import { Overdue } from "./overdue.ts";
import { OwnedPartitions } from "./owned-partitions.ts";
import { PresentBrokers } from "./present-brokers.ts";
import { QueueIndex } from "./queue-index.ts";
import { QueueRunner } from "./queue-runner.ts";
import { SentWork } from "./sent-work.ts";
import { Settlements } from "./settlements.ts";
import { type AskedAttempt, Unconfirmed } from "./unconfirmed.ts";
import { UnnamedBodies } from "./unnamed-bodies.ts";
import { WebhookRunner, type WebhookRunnerOptions } from "./webhook-runner.ts";

export interface QueueWorkOptions {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly registry: Pick<Registry, "find">;
  readonly roster: Roster;
  readonly credentials: CredentialBook;
  readonly asker: Asker;
  readonly webhooks: Pick<WebhookRunnerOptions, "secrets" | "deliver">;
  /** A terminal record was stored, by this broker. */
  readonly ended: (tenantId: TenantId, record: InvocationRecord, isDead: boolean) => void;
  readonly log: Logger;
}

/** An agent answers within that time, or is not there. */
const answerWithinMs = 5_000;
/** Heartbeats of many agents are looked at together. */
const gatherMs = 50;

/** This broker's part of what is queued: which partitions are its own, and who of its parts hears of what. */
export class QueueWork {
  /** Agents that know of no accepted work. */
  readonly tooOld = new Set<AgentEntry>();
  /** Agents that take no payload in parts; those are among them. */
  readonly tooOldForParts = new Set<AgentEntry>();
  readonly brokers: PresentBrokers;
  readonly #options: QueueWorkOptions;
  readonly #index = new QueueIndex();
  readonly #claims: Claims;
  readonly #partitions: OwnedPartitions;
  readonly #unconfirmed: Unconfirmed;
  readonly #runner: QueueRunner;
  readonly #reports: AgentReports;
  readonly #webhooks: WebhookRunner;
  readonly #sentWork: SentWork;
  readonly #overdue: Overdue;
  readonly #unnamedBodies: UnnamedBodies;
  #cancelGather: (() => void) | undefined;
  #isClosed = false;

  constructor(options: QueueWorkOptions) {
    const { bus, clock, registry, roster, credentials, asker, ended, log } = options;
    const { queue, bodies } = bus.store;
    const { placement } = roster;
    const index = this.#index;
    this.#options = options;
    const settlements = new Settlements(asker, log);
    const claims = (this.#claims = new Claims({ placement, released: (which) => this.#runner.capacityChanged(which) }));
    const ends = new AttemptEnds({ queue, bodies, asker, registry, ended, clock });
    const sender = new AttemptSender({ queue, bodies, bus, claims, ends, placement, credentials, begun: (claimed) => this.#unconfirmed.begun(claimed), clock, log });
    this.#unconfirmed = new Unconfirmed({
      clock,
      log,
      isHeard: (agentId) => {
        const agent = roster.get(agentId);
        return agent !== undefined && roster.isHeard(agent);
      },
      confirm: (agent, attempts) => this.#confirm(agent, attempts),
      unknown: (entry) => this.#reports.disowned(entry, roster.get(entry.sentTo?.agentId ?? ("" as AgentId))?.joined?.joinedAt),
    });
    const webhooks = (this.#webhooks = new WebhookRunner({
      ...options.webhooks,
      queue,
      registry,
      ends,
      released: (tenantId) => this.#runner.capacityChanged({ tenantId, functionName: webhookFunction }),
      clock,
      random: Math.random,
      log,
    }));
    this.#runner = new QueueRunner({ index, queue, registry, placement, tooOld: this.tooOld, tooOldForParts: this.tooOldForParts, claims, sender, ends, webhooks, clock, log });
    this.#reports = new AgentReports({ queue, index, claims, ends, settle: (agent, attempt) => settlements.settle(agent, attempt) });
    this.#sentWork = new SentWork({ canSpeak: (agentId) => roster.get(agentId)?.joined !== undefined, abandoned: (entry) => this.#runner.abandoned(entry), clock, log });
    this.#overdue = new Overdue({ queue, end: (overdue) => ends.overdue(overdue), clock, log });
    const { brokerId } = bus;
    this.#unnamedBodies = new UnnamedBodies({ bodies, queue, isMine: () => this.brokers.ids.toSorted()[0] === brokerId, clock, log });
    this.brokers = new PresentBrokers({ brokerId, store: bus.store, clock, log, state: () => this.#state, changed: () => this.#partitions.reconsider() });
    this.#partitions = new OwnedPartitions({ brokerId, brokers: this.brokers, queue, stands: (entry) => this.#stands(entry), forget: (partition) => this.#forget(partition) });
    queue.onEnded((tenantId, invocationId) => this.#ended(tenantId, invocationId));
    roster.observe({ heard: () => this.#capacityChanged(), changed: (agent) => this.#agentChanged(agent), gone: (agent) => this.#agentGone(agent) });
  }

  /** How much is queued in this broker's partitions, and how much of it is with agents by its sending. */
  get load(): { readonly queued: number; readonly sent: number } {
    return { queued: this.#index.size, sent: this.#claims.size };
  }

  /** Begins to try what is queued. */
  async start(): Promise<void> {
    await this.brokers.start();
    this.#partitions.reconsider();
    this.#overdue.start();
    this.#unnamedBodies.start();
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
    this.#unnamedBodies.close();
    this.#partitions.close();
    await this.brokers.close();
  }

  /** An agent says what became of an attempt. */
  outcome(from: AgentAddress, frame: Frame): void {
    if (this.#isClosed) return; // It will say so again, to another.
    this.#reports.outcome(from, frame).catch((err: unknown) => {
      this.#options.log.warn({ err, agentId: from.agentId }, "outcome not taken; its agent will tell it again");
    });
  }

  /** Of this broker, for those who look at the queue. */
  get #state(): QueueBroker {
    const unreadable = this.#runner.unreadable + this.#overdue.unreadable;
    return { partitions: this.#partitions.numbers.length, queued: this.#index.size, unconfirmed: this.#unconfirmed.size, unreadable };
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
  }

  #agentChanged(agent: AgentEntry): void {
    const version = agent.introduction?.protocolVersion ?? protocolVersion;
    this.#agentGone(agent);
    if (version < acceptedProtocolVersion) this.tooOld.add(agent);
    if (version < largeBodyProtocolVersion) this.tooOldForParts.add(agent);
    this.#capacityChanged();
  }

  #agentGone(agent: AgentEntry): void {
    this.tooOld.delete(agent);
    this.tooOldForParts.delete(agent);
  }

  #capacityChanged(): void {
    this.#cancelGather ??= this.#options.clock.after(gatherMs, () => {
      this.#cancelGather = undefined;
      this.#runner.capacityChanged();
    });
  }

  async #confirm(agent: AgentAddress, attempts: readonly AskedAttempt[]): Promise<ConfirmAnswer> {
    const answer = await this.#options.asker.ask(agent, { ask: "confirm", attempts: [...attempts] }, { silenceMs: answerWithinMs });
    return confirmAnswerSchema.parse(answer);
  }
}
