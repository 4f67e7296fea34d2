import { type AgentAddress, type AgentId, type Ask, type BrokerId, createInvocationId, type Frame, type FunctionName, type InvocationId, type InvocationRecord, type InvocationResult, type LongshoreError, type Revision, type TenantId } from "@longshore/protocol";
import { pino } from "pino";
import type { Bus } from "../../bus/bus.ts";
import { MemoryStore } from "../../bus/testing/memory-store.ts";
import type { DeliveryOutcome } from "../../destinations/delivery-outcome.ts";
import type { WebhookDelivery } from "../../destinations/webhook.ts";
import { FakeBus, type FakeExchange } from "../../invocation/testing/fake-bus.ts";
import { type RevisionWishes, testRevision } from "../../registry/testing/revision.ts";
import type { AskOptions } from "../../roster/ask-agent.ts";
import { TestFleet } from "../../roster/testing/test-fleet.ts";
import { Queue } from "../queue.ts";
import type { Submission } from "../submissions.ts";

export const acme = "acme" as TenantId;
export const settled = async () => {
  for (let turn = 0; turn < 8; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

/** A broker that tries what is queued, with a function to be run and an agent that has room for so many. */
export async function startedScene({ room = 1, store = new MemoryStore() }: { room?: number; store?: MemoryStore } = {}): Promise<QueueScene> {
  const scene = new QueueScene("b-1", store);
  scene.deploy();
  if (room > 0) scene.agent("a1", room);
  await scene.queue.start();
  return scene;
}

/** What changes of a fleet is looked at together after that time. */
const gatherMs = 50;

/** A broker with its queue; agents, bus and time are the test's. Several may share a store. */
export class QueueScene {
  readonly store: MemoryStore;
  readonly fleet = new TestFleet();
  readonly bus = new FakeBus();
  readonly records: InvocationRecord[] = [];
  readonly asks: { agentId: string; question: Ask }[] = [];
  /** What agents say that they have not, when they are asked to confirm. */
  readonly missing = new Set<InvocationId>();
  /** What they say that they have, and have not begun. */
  readonly notBegun = new Set<InvocationId>();
  /** What agents say that they have; the others do not say. */
  readonly holdings = new Map<AgentId, unknown>();
  /** What agents need not keep any more: agent, invocation and attempt, in the order in which they were told. */
  readonly settledAttempts: string[] = [];
  /** Agents answer when it is there. */
  answering = Promise.resolve();
  /** What an agent has of a long answer; it may throw. */
  longAnswer: () => Iterable<Uint8Array> = () => [];
  readonly revisions = new Map<string, Revision>();
  readonly queue: Queue;
  refusal: LongshoreError | undefined;
  readonly deliveries: WebhookDelivery[] = [];
  /** What answers webhooks. */
  receiver: (delivery: WebhookDelivery) => DeliveryOutcome | Promise<DeliveryOutcome> = () => ({ outcome: "delivered", message: "Delivered", status: 200 });

  constructor(brokerId = "b-1", store = new MemoryStore()) {
    this.store = store;
    this.queue = new Queue({
      bus: { brokerId: brokerId as BrokerId, store, open: this.bus.open.bind(this.bus) } as Pick<Bus, "brokerId" | "store" | "open"> as Bus,
      clock: this.fleet.clock,
      registry: { find: (tenantId, functionName) => this.revisions.get(`${tenantId}.${functionName}`) },
      roster: this.fleet.roster,
      credentials: { find: () => undefined },
      asker: { ask: (agent, question, options) => this.#answer(agent, question, options) },
      webhooks: {
        secrets: async () => ["whsec_tenant"],
        deliver: async (delivery) => {
          this.deliveries.push(delivery);
          return this.receiver(delivery);
        },
      },
      onceWithinMs: 10_000,
      refusal: () => this.refusal,
      ended: (_tenantId, record) => this.records.push(record),
      log: pino({ level: "silent" }),
    });
  }

  get nowMs(): number {
    return this.fleet.clock.date().getTime();
  }

  deploy(wishes: RevisionWishes = {}): Revision {
    const revision = testRevision({ ...wishes, document: { contract: "stdio", timeoutMs: 30_000, ...wishes.document } });
    this.revisions.set(`${revision.tenantId}.${revision.functionName}`, revision);
    return revision;
  }

  agent(name: string, instances = 10): AgentAddress {
    return this.fleet.ready(name, { heartbeat: { instancesMax: instances, instancesFree: instances, memoryBytes: instances * 2 ** 30, memoryFreeBytes: instances * 2 ** 30 } }).address;
  }

  submission(changes: Partial<Submission> & { readonly text?: string } = {}): Submission {
    const { text = "payload", ...rest } = changes;
    return { tenantId: acme, functionName: "resize" as FunctionName, invocationId: createInvocationId(), where: {}, timeoutMs: undefined, request: { method: "POST", target: "/", headers: [] }, body: Buffer.from(text), ...rest };
  }

  /** By the agent's own word it has room for that many. */
  async hasRoom(name: string, instances: number): Promise<void> {
    this.fleet.heartbeat(name, { instancesMax: 10, instancesFree: instances, memoryBytes: 10 * 2 ** 30, memoryFreeBytes: instances * 2 ** 30 });
    await this.advance(gatherMs);
  }

  /** Accepts one, and lets it be sent where there is room. */
  async accept(changes: Parameters<QueueScene["submission"]>[0] = {}): Promise<InvocationId> {
    const submission = this.submission(changes);
    await this.queue.accept(submission);
    await settled();
    return submission.invocationId;
  }

  async advance(ms: number, stepMs = ms): Promise<void> {
    for (let left = ms; left > 0; left -= stepMs) {
      this.fleet.clock.advance(Math.min(left, stepMs));
      await settled();
    }
  }

  exchanges(invocationId: InvocationId): FakeExchange[] {
    return this.bus.exchanges.filter(({ order }) => order.invocationId === invocationId);
  }

  last(invocationId: InvocationId): FakeExchange {
    const exchange = this.exchanges(invocationId).at(-1);
    if (exchange === undefined) throw new Error("no order of that invocation was sent");
    return exchange;
  }

  async begins(invocationId: InvocationId): Promise<void> {
    this.last(invocationId).receive({ kind: "answer", head: { complete: true, headers: [], begun: true }, body: new Uint8Array(0) });
    await settled();
  }

  /** What became of an attempt, the one that was sent last, by the word of an agent, the one that has it. */
  ends(invocationId: InvocationId, result: InvocationResult, changes: { body?: string; from?: AgentAddress; attempt?: number } = {}): Promise<void> {
    return this.endsOf(this.last(invocationId), result, changes);
  }

  /** What became of an attempt, whichever broker sent it. */
  async endsOf({ agent, order }: FakeExchange, result: InvocationResult, { body = "answer", from, attempt }: { body?: string; from?: AgentAddress; attempt?: number } = {}): Promise<void> {
    const { invocationId } = order;
    const orphan = { invocationId, attempt: attempt ?? order.attempt, tenantId: acme, functionName: "resize", revisionId: "resize-r1", acceptedAt: order.accepted?.acceptedAt ?? "", payloadBytes: 7 };
    const frame: Frame = { kind: "answer", head: { complete: true, headers: [["content-type", "text/plain"]], start: "warm", result, orphan, bodyBytes: body.length, bodyKept: true }, body: Buffer.from(body) };
    this.queue.outcome(from ?? agent, frame);
    await settled();
  }

  /** How it ended; throws when it has not. */
  async record(invocationId: InvocationId): Promise<{ outcome: string; body: string }> {
    const found = await this.queue.find(acme, invocationId);
    if (found?.state !== "finished") throw new Error("it has no terminal record");
    return { outcome: found.record.result.outcome, body: Buffer.from(found.body).toString() };
  }

  /** What is queued of it. */
  async entry(invocationId: InvocationId): Promise<{ attempt: number; sequence: number; isSent: boolean; past: string[] } | "finished"> {
    const found = await this.store.queue.find(acme, invocationId);
    if (found?.state !== "queued") return "finished";
    const { past } = found.head as { past: { result: InvocationResult }[] };
    return { attempt: found.attempt, sequence: found.sequence, isSent: found.sentUntilMs > 0, past: past.map(({ result }) => result.outcome) };
  }

  async #answer({ agentId }: AgentAddress, question: Ask, { onBytes }: AskOptions): Promise<unknown> {
    this.asks.push({ agentId, question });
    await this.answering;
    if (question.ask === "answer") for (const part of this.longAnswer()) await onBytes?.(part);
    if (question.ask === "settle") for (const { invocationId, attempt } of question.attempts) this.settledAttempts.push(`${agentId} ${invocationId} ${attempt}`);
    if (question.ask === "holdings") return this.holdings.get(agentId);
    const hasNot = ({ invocationId, attempt }: { invocationId: InvocationId; attempt: number }) => this.missing.has(invocationId) || this.settledAttempts.includes(`${agentId} ${invocationId} ${attempt}`);
    return question.ask === "confirm" ? { unknown: question.attempts.filter(hasNot), waiting: question.attempts.filter(({ invocationId }) => this.notBegun.has(invocationId)) } : {};
  }
}
