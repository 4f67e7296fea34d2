import { type AgentAddress, createInvocationId, type Frame, type FunctionName, type InvocationId, type InvocationRecord, type InvocationResult, LongshoreError, type Revision, type TenantId } from "@longshore/protocol";
import { pino } from "pino";
import { describe, expect, it } from "vitest";
import { MemoryQueue } from "../bus/testing/memory-queue.ts";
import { partitionCount } from "../bus/queue-subjects.ts";
import type { FakeExchange } from "../invocation/testing/fake-bus.ts";
import { FakeBus } from "../invocation/testing/fake-bus.ts";
import { type RevisionWishes, testRevision } from "../registry/testing/revision.ts";
import { TestFleet } from "../roster/testing/test-fleet.ts";
import { QueueIndex } from "./queue-index.ts";
import { QueueRunner } from "./queue-runner.ts";
import { storedOf } from "./stored-invocation.ts";

const acme = "acme" as TenantId;
const hour = 3_600_000;
const settled = async () => {
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

/** One or more brokers' runners over one queue; agents, bus and time are the test's. */
class Scene {
  readonly queue = new MemoryQueue();
  readonly fleet = new TestFleet();
  readonly bus = new FakeBus();
  readonly revisions = new Map<string, Revision>();
  readonly settledAttempts: string[] = [];
  readonly records: InvocationRecord[] = [];
  readonly runner = this.broker();

  /** A broker that follows everything, and knows agents by what it hears itself. */
  broker(fleet = this.fleet): QueueRunner {
    const index = new QueueIndex();
    const runner = new QueueRunner({
      index,
      queue: this.queue,
      bus: this.bus,
      registry: { find: (tenantId, functionName) => this.revisions.get(`${tenantId}.${functionName}`) },
      placement: fleet.roster.placement,
      credentials: { find: () => undefined },
      tooOld: new Set(),
      webhooks: { canRun: () => false, run: async () => undefined },
      begun: () => undefined,
      settle: ({ agentId }, { invocationId, attempt }) => this.settledAttempts.push(`${agentId} ${invocationId} ${attempt}`),
      ended: (_tenantId, record) => this.records.push(record),
      clock: this.fleet.clock,
      log: pino({ level: "silent" }),
    });
    for (let partition = 0; partition < partitionCount; partition += 1) {
      this.queue.follow(partition, {
        restarted: () => index.forget(partition),
        queued: (entry) => {
          index.add(entry, this.nowMs);
          runner.wake();
        },
      });
    }
    return runner;
  }

  get nowMs(): number {
    return this.fleet.clock.date().getTime();
  }

  deploy(wishes: RevisionWishes = {}): Revision {
    const revision = testRevision({ ...wishes, document: { contract: "stdio", timeoutMs: 30_000, ...wishes.document } });
    this.revisions.set(`${revision.tenantId}.${revision.functionName}`, revision);
    return revision;
  }

  agent(name: string, instances = 1): AgentAddress {
    return this.fleet.ready(name, { heartbeat: { instancesMax: instances, instancesFree: instances } }).address;
  }

  /** By the agent's own word it has room for that many. */
  async hasRoom(name: string, instances: number): Promise<void> {
    this.fleet.heartbeat(name, { instancesMax: 10, instancesFree: instances });
    this.runner.capacityChanged();
    await settled();
  }

  async accept({ name = "resize", text = "payload", site, expiresInMs = hour }: { name?: string; text?: string; site?: string; expiresInMs?: number } = {}): Promise<InvocationId> {
    const invocationId = createInvocationId();
    const functionName = name as FunctionName;
    const stored = storedOf({ functionName, request: { method: "POST", target: "/", headers: [] }, where: site === undefined ? {} : { site: site as never }, timeoutMs: undefined, body: Buffer.from(text) }, this.fleet.clock.date());
    await this.queue.accept({ tenantId: acme, functionName, invocationId }, { attempt: 1, notBeforeMs: 0, expiresAtMs: this.nowMs + expiresInMs, sentUntilMs: 0 }, stored, Buffer.from(text));
    await settled();
    return invocationId;
  }

  async advance(ms: number): Promise<void> {
    this.fleet.clock.advance(ms);
    await settled();
  }

  exchanges(invocationId: InvocationId): FakeExchange[] {
    return this.bus.exchanges.filter(({ order }) => order.invocationId === invocationId);
  }

  last(invocationId: InvocationId): FakeExchange {
    const exchange = this.exchanges(invocationId).at(-1);
    if (exchange === undefined) throw new Error("no order of that invocation was sent");
    return exchange;
  }

  /** The agent that was asked last says that it has begun. */
  async begins(invocationId: InvocationId): Promise<void> {
    this.last(invocationId).receive({ kind: "answer", head: { complete: true, headers: [], begun: true }, body: new Uint8Array(0) });
    await settled();
  }

  /** What became of it, by the word of an agent, to a broker. */
  async ends(invocationId: InvocationId, result: InvocationResult, { from = this.last(invocationId).agent, attempt = this.last(invocationId).order.attempt, to = this.runner, body = "answer" } = {}): Promise<void> {
    const orphan = { invocationId, attempt, tenantId: acme, functionName: "resize", revisionId: "resize-r1", acceptedAt: "2026-11-25T00:00:00.000Z", payloadBytes: 7 };
    const frame: Frame = { kind: "answer", head: { complete: true, headers: [], result, orphan, bodyBytes: body.length, bodyKept: true }, body: Buffer.from(body) };
    await to.outcome(from, frame);
    await settled();
  }

  async record(invocationId: InvocationId): Promise<{ outcome: string | undefined; body: string }> {
    const found = await this.queue.find(acme, invocationId);
    if (found?.state !== "finished") throw new Error("it has no terminal record");
    return { outcome: (found.head as InvocationRecord).result.outcome, body: Buffer.from(found.body).toString() };
  }

  async state(invocationId: InvocationId): Promise<{ attempt: number; notBeforeMs: number; isSent: boolean; past: string[] } | "finished"> {
    const found = await this.queue.find(acme, invocationId);
    if (found?.state !== "queued") return "finished";
    const { past } = found.head as { past: { result: InvocationResult }[] };
    return { attempt: found.attempt, notBeforeMs: found.notBeforeMs, isSent: found.sentUntilMs > 0, past: past.map(({ result }) => result.outcome) };
  }
}

describe("an accepted invocation", () => {
  it("is claimed before it is sent, and ended by what its agent says became of it, which is settled then", async () => {
    const scene = new Scene();
    scene.deploy();
    scene.agent("a1");
    const id = await scene.accept();
    const { order, body } = scene.last(id);
    expect(order).toMatchObject({ attempt: 1, more: false, accepted: { acceptedAt: scene.fleet.clock.date().toISOString() }, remainingMs: 30_000 });
    expect(Buffer.from(body).toString()).toBe("payload");
    expect(await scene.state(id)).toMatchObject({ attempt: 1, isSent: true });
    await scene.begins(id);
    await scene.ends(id, { outcome: "succeeded" });
    expect(await scene.record(id)).toEqual({ outcome: "succeeded", body: "answer" });
    expect(scene.settledAttempts).toEqual([`a1 ${id} 1`]);
    expect(scene.records).toMatchObject([{ invocationId: id, agentId: "a1", attempt: 1 }]);
  });

  it("is begun once, however many brokers try", async () => {
    const scene = new Scene();
    for (const fleet of [new TestFleet(), new TestFleet()]) {
      fleet.ready("a1", { heartbeat: { instancesMax: 30, instancesFree: 30 } });
      scene.broker(fleet);
    }
    scene.deploy();
    scene.agent("a1", 30);
    const ids = await Promise.all(Array.from({ length: 20 }, () => scene.accept()));
    expect(ids.map((id) => scene.exchanges(id).length)).toEqual(ids.map(() => 1));
  });

  it("waits where nobody has room, and delays nobody else", async () => {
    const scene = new Scene();
    scene.deploy();
    scene.deploy({ document: { name: "elsewhere", placement: { sites: ["cloud"] } } });
    scene.agent("a1");
    const blocked = await Promise.all(Array.from({ length: 60 }, () => scene.accept({ name: "elsewhere" })));
    const free = await scene.accept();
    expect(scene.exchanges(free)).toHaveLength(1);
    expect(blocked.flatMap((id) => scene.exchanges(id))).toEqual([]);
    scene.fleet.ready("c1", { site: "cloud", heartbeat: { instancesMax: 60, instancesFree: 60 } });
    scene.runner.capacityChanged();
    await settled();
    expect(blocked.flatMap((id) => scene.exchanges(id))).toHaveLength(60);
  });

  it("is tried again though its agent's word that it has it not comes after it was taken back", async () => {
    const scene = new Scene();
    scene.deploy();
    scene.agent("a1");
    const id = await scene.accept();
    const sent = await scene.queue.find(acme, id);
    if (sent?.state !== "queued") throw new Error("it is not queued");
    scene.last(id).refuse(new LongshoreError("instance_start_failed", "Cannot start", { phase: "startup" }));
    await settled();
    await scene.runner.disowned(sent);
    await scene.hasRoom("a1", 1);
    await scene.advance(2_000);
    expect(scene.exchanges(id)).toHaveLength(2);
  });

  it("goes to another agent when one refuses it, and is tried again when nobody takes it", async () => {
    const scene = new Scene();
    scene.deploy();
    scene.agent("a1");
    scene.agent("a2");
    const id = await scene.accept();
    const [first] = scene.exchanges(id);
    first?.refuse(new LongshoreError("agent_busy", "Cannot run: no free slot", { phase: "admission" }));
    await settled();
    const [, second] = scene.exchanges(id);
    expect(second?.agent.agentId).not.toBe(first?.agent.agentId);
    second?.refuse(new LongshoreError("instance_start_failed", "Cannot start", { phase: "startup" }));
    await settled();
    expect(await scene.state(id)).toMatchObject({ attempt: 3, isSent: false, past: [] });
    await scene.hasRoom("a1", 1);
    expect(scene.exchanges(id)).toHaveLength(2);
    await scene.advance(2_000);
    expect(scene.exchanges(id)).toHaveLength(3);
    expect(scene.last(id).order.attempt).toBe(3);
  });

  it("is sent with its revision where the agent turns out not to know it", async () => {
    const scene = new Scene();
    const revision = scene.deploy();
    const { agentId } = scene.agent("a1");
    scene.fleet.heartbeat(agentId, { instancesFree: 1, revisions: [{ revisionDigest: revision.digest, freeSlots: 0, running: 0, instances: 0, held: 0, starting: 0, imagePresent: true }] });
    const id = await scene.accept();
    expect(scene.last(id).order.revision).toBeUndefined();
    scene.last(id).refuse(new LongshoreError("revision_unknown", "Cannot run: unknown revision", { phase: "admission" }));
    await settled();
    expect(scene.last(id).order.revision).toEqual(revision);
    await scene.begins(id);
    expect(await scene.state(id)).toMatchObject({ attempt: 1, isSent: true });
  });

  it("that fails is repeated after a while, three times in all, and its record is that of the last", async () => {
    const scene = new Scene();
    scene.deploy();
    scene.agent("a1", 10);
    const id = await scene.accept();
    for (const [attempt, waitMs] of [[1, 10_000], [2, 60_000], [3, 0]] as const) {
      await scene.hasRoom("a1", 10);
      expect(scene.last(id).order.attempt).toBe(attempt);
      await scene.begins(id);
      await scene.ends(id, { outcome: "failed", exitCode: attempt });
      expect(scene.exchanges(id)).toHaveLength(attempt);
      await scene.advance(waitMs);
    }
    expect(await scene.record(id)).toMatchObject({ outcome: "failed" });
    expect(scene.records).toMatchObject([{ attempt: 3, result: { exitCode: 3 } }]);
  });

  it("of an older attempt, or from an agent that does not have it, changes nothing, and is settled", async () => {
    const scene = new Scene();
    scene.deploy();
    scene.agent("a1", 10);
    const id = await scene.accept();
    await scene.begins(id);
    await scene.ends(id, { outcome: "succeeded" }, { from: { siteId: "plant", agentId: "a9" } as AgentAddress });
    expect(await scene.state(id)).toMatchObject({ attempt: 1, isSent: true });
    await scene.ends(id, { outcome: "failed" });
    await scene.ends(id, { outcome: "succeeded" });
    expect(await scene.state(id)).toMatchObject({ attempt: 2, past: ["failed"] });
    await scene.hasRoom("a1", 10);
    await scene.advance(10_000);
    expect(scene.last(id).order.attempt).toBe(2);
    await scene.ends(id, { outcome: "succeeded" }, { attempt: 1 });
    expect(await scene.state(id)).toMatchObject({ attempt: 2, isSent: true, past: ["failed"] });
    expect(scene.settledAttempts).toEqual([`a9 ${id} 1`, `a1 ${id} 1`, `a1 ${id} 1`, `a1 ${id} 1`]);
  });

  it("whose agent says lost ends so, unless its function is idempotent", async () => {
    const scene = new Scene();
    scene.deploy();
    scene.deploy({ document: { name: "again", idempotent: true } });
    scene.agent("a1", 10);
    const [once, again] = [await scene.accept(), await scene.accept({ name: "again" })];
    for (const id of [once, again]) {
      await scene.begins(id);
      await scene.ends(id, { outcome: "lost" });
    }
    expect(await scene.record(once)).toMatchObject({ outcome: "lost" });
    expect(await scene.state(again)).toMatchObject({ attempt: 2, past: ["lost"] });
  });

  it("of which nothing is heard is left to its agent for its time and an hour, and is lost then", async () => {
    const scene = new Scene();
    scene.deploy();
    scene.agent("a1");
    const id = await scene.accept({ expiresInMs: 60_000 });
    scene.last(id).fails("bus_down");
    await scene.advance(hour);
    expect(await scene.state(id)).toMatchObject({ attempt: 1, isSent: true });
    await scene.advance(60_000);
    expect(await scene.record(id)).toMatchObject({ outcome: "lost" });
    await scene.ends(id, { outcome: "succeeded" });
    expect(await scene.record(id)).toMatchObject({ outcome: "lost" });
    expect(scene.settledAttempts).toEqual([`a1 ${id} 1`]);
  });

  it("that is not begun in time expires, and one whose function is gone is rejected", async () => {
    const scene = new Scene();
    scene.deploy();
    const late = await scene.accept({ expiresInMs: 5_000 });
    await scene.advance(5_000);
    expect(await scene.record(late)).toMatchObject({ outcome: "expired" });
    const gone = await scene.accept({ name: "gone" });
    expect(await scene.record(gone)).toMatchObject({ outcome: "rejected" });
    expect(scene.records.at(-1)).toMatchObject({ result: { error: { reason: "function_not_found" } } });
  });

  it("waits for the bus, and is begun once it is back", async () => {
    const scene = new Scene();
    scene.deploy();
    scene.agent("a1");
    const id = await scene.accept({ expiresInMs: hour });
    await scene.begins(id);
    await scene.ends(id, { outcome: "succeeded" });
    await scene.hasRoom("a1", 0);
    const next = await scene.accept();
    scene.queue.failing = new LongshoreError("bus_down", "Cannot read: the bus is away");
    await scene.hasRoom("a1", 1);
    await expect(scene.ends(next, { outcome: "succeeded" }, { from: { siteId: "plant", agentId: "a1" } as AgentAddress, attempt: 1 })).rejects.toMatchObject({ reason: "bus_down" });
    scene.queue.failing = undefined;
    expect(scene.exchanges(next)).toHaveLength(0);
    await scene.hasRoom("a1", 1);
    await scene.advance(2_000);
    expect(scene.exchanges(next)).toHaveLength(1);
  });

  it("that only one site may run waits for that site without a write", async () => {
    const scene = new Scene();
    scene.deploy();
    scene.agent("a1", 10);
    const id = await scene.accept({ site: "moon" });
    await scene.advance(20_000);
    expect(scene.exchanges(id)).toEqual([]);
    expect((await scene.queue.find(acme, id)) as { sequence?: number }).toMatchObject({ sequence: 1 });
    scene.fleet.ready("m1", { site: "moon", heartbeat: { instancesMax: 1, instancesFree: 1 } });
    await scene.advance(5_000);
    expect(scene.exchanges(id)).toHaveLength(1);
  });
});
