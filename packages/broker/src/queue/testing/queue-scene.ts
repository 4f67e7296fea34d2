import { type AgentAddress, type AgentId, type Ask, type BrokerId, createInvocationId, type Frame, type FunctionName, type InvocationId, type InvocationRecord, type InvocationResult, type LongshoreError, type Revision, type TenantId } from "@longshore/protocol";
import { pino } from "pino";
import type { Bus } from "../../bus/bus.ts";
import { MemoryStore } from "../../bus/testing/memory-store.ts";
import type { DeliveryOutcome } from "../../destinations/delivery-outcome.ts";
import type { WebhookDelivery } from "../../destinations/webhook.ts";
import { FakeBus, type FakeExchange } from "../../invocation/testing/fake-bus.ts";
import { type RevisionWishes, testRevision } from "../../registry/testing/revision.ts";
import { TestFleet } from "../../roster/testing/test-fleet.ts";
import { Queue, type Submission } from "../queue.ts";

export const acme = "acme" as TenantId;
export const settled = async () => {
  for (let turn = 0; turn < 8; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

/** A broker with its queue; agents, bus and time are the test's. Several may share a store. */
export class QueueScene {
  readonly store: MemoryStore;
  readonly fleet = new TestFleet();
  readonly bus = new FakeBus();
  readonly records: InvocationRecord[] = [];
  readonly asks: { agentId: string; question: Ask }[] = [];
  /** What agents say that they have not, when they are asked to confirm. */
  readonly missing = new Set<InvocationId>();
  /** What agents say that they have; the others do not say. */
  readonly holdings = new Map<AgentId, unknown>();
  /** What agents need not keep any more. */
  readonly #settled = new Set<string>();
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
      asker: { ask: (agent, question) => this.#answer(agent, question) },
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

  /** What became of the attempt that was sent last, by the word of its agent. */
  async ends(invocationId: InvocationId, result: InvocationResult, body = "answer"): Promise<void> {
    const { agent, order } = this.last(invocationId);
    const orphan = { invocationId, attempt: order.attempt, tenantId: acme, functionName: "resize", revisionId: "resize-r1", acceptedAt: order.accepted?.acceptedAt ?? "", payloadBytes: 7 };
    const frame: Frame = { kind: "answer", head: { complete: true, headers: [["content-type", "text/plain"]], start: "warm", result, orphan, bodyBytes: body.length, bodyKept: true }, body: Buffer.from(body) };
    this.queue.outcome(agent, frame);
    await settled();
  }

  async #answer({ agentId }: AgentAddress, question: Ask): Promise<unknown> {
    this.asks.push({ agentId, question });
    await Promise.resolve();
    if (question.ask === "settle") for (const { invocationId, attempt } of question.attempts) this.#settled.add(`${invocationId} ${attempt}`);
    if (question.ask === "holdings") return this.holdings.get(agentId);
    return question.ask === "confirm" ? { unknown: question.attempts.filter(({ invocationId, attempt }) => this.missing.has(invocationId) || this.#settled.has(`${invocationId} ${attempt}`)) } : {};
  }
}
