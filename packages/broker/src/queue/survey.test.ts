import type { AgentId, Ask } from "@longshore/protocol";
import { expect, it } from "vitest";
import { acme, QueueScene, settled } from "./testing/queue-scene.ts";

async function started(): Promise<QueueScene> {
  const scene = new QueueScene();
  scene.deploy();
  await scene.queue.start();
  return scene;
}

it("accepted work is counted by how it stands, and what waits the longest is named to its own tenant, with the reason", async () => {
  const scene = await started();
  scene.deploy({ document: { name: "narrow", placement: { require: { gpu: "true" } } } });
  const oldest = await scene.accept({ functionName: "narrow" as never });
  await scene.advance(60_000);
  scene.agent("a1", 1);
  const sent = await scene.accept();
  await scene.accept();
  await scene.accept({ notBeforeMs: scene.nowMs + 60_000 });
  scene.store.queue.becomeOverdue(acme, await scene.accept({ notBeforeMs: scene.nowMs + 60_000 }));
  scene.holdings.set("a1" as AgentId, { running: [{ invocationId: sent, attempt: 1 }], waiting: [], unreadable: 0 });
  const view = await scene.queue.survey(acme);
  expect(view).toMatchObject({
    waiting: 2, delayed: 1, withAgents: 1, overdue: 1, deadLetters: 0, partitions: 32,
    oldestWaiting: { invocationId: oldest, functionName: "narrow", sinceMs: 60_000, why: expect.stringContaining("gpu") as string },
    brokers: [{ brokerId: "b-1", partitions: 32, unconfirmed: 1, unreadable: 0 }],
    agents: [{ siteId: "plant", agentId: "a1", heard: true, revoked: false, believed: 1, running: 1, waiting: 0, missing: 0, unknown: 0 }],
  });
  expect((await scene.queue.survey("globex" as never)).oldestWaiting).toBeUndefined();
  await scene.queue.close();
});

it("what waits for others of its function says so", async () => {
  const scene = await started();
  scene.deploy({ document: { name: "one-by-one", maxQueuedAtOnce: 1 } });
  scene.agent("a1", 10);
  await scene.accept({ functionName: "one-by-one" as never });
  const next = await scene.accept({ functionName: "one-by-one" as never });
  expect((await scene.queue.survey(acme)).oldestWaiting).toMatchObject({ invocationId: next, why: expect.stringContaining("maxQueuedAtOnce: 1") as string });
  await scene.queue.close();
});

it("what an agent says is held against what it was sent, and asking changes nothing", async () => {
  const scene = await started();
  const agent = scene.agent("a1");
  const [first, second] = [await scene.accept(), await scene.accept()];
  await scene.begins(first);
  scene.holdings.set(agent.agentId, { running: [{ invocationId: second, attempt: 7 }], waiting: [{ invocationId: second, attempt: 1 }], unreadable: 1 });
  expect((await scene.queue.survey(acme)).agents).toMatchObject([{ believed: 2, running: 1, waiting: 1, missing: 1, unknown: 1, unreadable: 1 }]);
  expect(scene.asks.map(({ question }: { question: Ask }) => question.ask)).toEqual(["holdings"]);
  scene.holdings.delete(agent.agentId);
  expect((await scene.queue.survey(acme)).agents).toEqual([{ siteId: "plant", agentId: "a1", heard: true, revoked: false, believed: 2 }]);
  scene.fleet.joined.revoke("a1");
  await scene.advance(20_000, 5_000);
  expect((await scene.queue.survey(acme)).agents).toMatchObject([{ agentId: "a1", heard: false, revoked: true, believed: 2 }]);
  await scene.queue.close();
});

it("what another version wrote is counted, and no longer once it is read or gone", async () => {
  const scene = await started();
  scene.agent("a1");
  const key = { tenantId: acme, functionName: "resize" as never, invocationId: scene.submission().invocationId };
  await scene.store.queue.accept(key, { attempt: 1, notBeforeMs: 0, expiresAtMs: scene.nowMs + 3_600_000, sentUntilMs: 0 }, { of: "a newer version" }, new Uint8Array(0));
  await settled();
  const beside = await scene.accept();
  expect(scene.exchanges(beside)).toHaveLength(1);
  expect((await scene.queue.survey(acme)).brokers).toMatchObject([{ unreadable: 1 }]);
  await scene.store.queue.finish(key, {}, new Uint8Array(0));
  await settled();
  expect((await scene.queue.survey(acme)).brokers).toMatchObject([{ unreadable: 0 }]);
  await scene.queue.close();
});
