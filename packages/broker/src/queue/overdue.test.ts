import type { InvocationId } from "@longshore/protocol";
import { expect, it } from "vitest";
import { MemoryStore } from "../bus/testing/memory-store.ts";
import { acme, QueueScene, settled } from "./testing/queue-scene.ts";

const minute = 60_000;
/** A store in which these were accepted, and in which nobody ended them. */
async function abandoned(): Promise<{ store: MemoryStore; waiting: InvocationId; running: InvocationId }> {
  const scene = new QueueScene();
  scene.deploy();
  scene.agent("a1");
  await scene.queue.start();
  const running = await scene.accept({ text: "running" });
  await scene.begins(running);
  const waiting = await scene.accept({ notBeforeMs: scene.nowMs + 10 * minute, text: "waiting" });
  await scene.queue.close();
  for (const id of [waiting, running]) scene.store.queue.becomeOverdue(acme, id);
  return { store: scene.store, waiting, running };
}

async function brokerOn(store: MemoryStore, brokerId = "b-2"): Promise<QueueScene> {
  const scene = new QueueScene(brokerId, store);
  scene.deploy();
  await scene.queue.start();
  await settled();
  return scene;
}

it("what the server took out of the queue ends at a broker's start: as expired where it was with nobody, as lost where an agent had it", async () => {
  const { store, waiting, running } = await abandoned();
  const scene = await brokerOn(store);
  expect(await scene.queue.find(acme, waiting)).toMatchObject({ state: "finished", record: { result: { outcome: "expired" } } });
  expect(await scene.queue.find(acme, running)).toMatchObject({ state: "finished", record: { agentId: "a1", siteId: "plant", result: { outcome: "lost", error: { reason: "agent_lost", phase: "execution" } } } });
  expect(store.queue.overdue.size).toBe(0);
  expect((await store.queue.findDead(acme, running))?.body).toEqual(Buffer.from("running"));
  await scene.queue.close();
});

it("it ends within a minute where a broker is there, once, however many of them try", async () => {
  const store = new MemoryStore();
  const [one, two] = [await brokerOn(store, "b-1"), await brokerOn(store, "b-2")];
  const id = await one.accept({ notBeforeMs: one.nowMs + 10 * minute });
  store.queue.becomeOverdue(acme, id);
  for (const scene of [one, two]) scene.fleet.clock.advance(minute);
  await settled();
  expect([...one.records, ...two.records]).toMatchObject([{ invocationId: id, result: { outcome: "expired" } }]);
  expect(store.queue.overdue.size).toBe(0);
  for (const scene of [one, two]) await scene.queue.close();
});

it("a true outcome that comes before is the record, and a cancel is answered", async () => {
  const { store, running } = await abandoned();
  const scene = new QueueScene("b-2", store);
  scene.deploy();
  expect(await scene.queue.cancel(acme, running)).toBe(true);
  await store.queue.finish({ tenantId: acme, functionName: "resize" as never, invocationId: running }, { outcome: "true" }, new Uint8Array(0));
  await scene.queue.start();
  await settled();
  expect(await store.queue.find(acme, running)).toMatchObject({ state: "finished", head: { outcome: "true" } });
  expect(store.queue.overdue.size).toBe(0);
  await scene.queue.close();
});

it("what cannot be read stays for a broker that can, and delays none of the others", async () => {
  const { store, waiting, running } = await abandoned();
  const unreadable = store.queue.overdue.get(`${acme}.${waiting}`);
  if (unreadable === undefined) throw new Error("it is overdue");
  store.queue.overdue.set(`${acme}.${waiting}`, { ...unreadable, head: { of: "a newer version" } });
  const scene = await brokerOn(store);
  expect(await scene.queue.find(acme, running)).toMatchObject({ state: "finished" });
  expect([...store.queue.overdue.values()].map(({ invocationId }) => invocationId)).toEqual([waiting]);
  store.queue.overdue.set(`${acme}.${waiting}`, unreadable);
  await scene.advance(minute);
  expect(await scene.queue.find(acme, waiting)).toMatchObject({ state: "finished", record: { result: { outcome: "expired" } } });
  await scene.queue.close();
});

it("a bus that is down while it is looked at is looked at again", async () => {
  const { store, waiting } = await abandoned();
  const scene = await brokerOn(new MemoryStore(), "b-3");
  await scene.queue.close();
  const late = new QueueScene("b-2", store);
  late.deploy();
  store.queue.failing = new Error("away");
  await late.queue.start();
  await settled();
  store.queue.failing = undefined;
  await late.advance(minute);
  expect(await late.queue.find(acme, waiting)).toMatchObject({ state: "finished" });
  await late.queue.close();
});
