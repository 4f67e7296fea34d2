import type { AgentId } from "@longshore/protocol";
import { expect, it } from "vitest";
import { acme, QueueScene, settled } from "./testing/queue-scene.ts";

const second = 1_000;

async function sent(scene = new QueueScene(), idempotent = false) {
  scene.deploy({ document: { timeoutMs: 30_000, idempotent } });
  scene.agent("a1");
  await scene.queue.start();
  const id = await scene.accept();
  await scene.begins(id);
  return { scene, id };
}
const outcomeOf = async (scene: QueueScene, id: Parameters<QueueScene["begins"]>[0]) => {
  const found = await scene.queue.find(acme, id);
  return found?.state === "finished" ? found.record.result.outcome : found?.state;
};

it("what a revoked agent had is lost once its own time is over, not an hour later, and not before: it may still run", async () => {
  const { scene, id } = await sent();
  scene.fleet.joined.revoke("a1");
  await scene.advance(90 * second, 5 * second); // The stop grace is still to come.
  expect(await outcomeOf(scene, id)).toBe("running");
  await scene.advance(20 * second, 5 * second);
  expect(scene.records).toMatchObject([{ invocationId: id, agentId: "a1", result: { outcome: "lost", error: { reason: "agent_lost" } } }]);
  await scene.queue.close();
});

it("an agent that is only not heard has its hour", async () => {
  const { scene, id } = await sent();
  await scene.advance(3_000 * second, 60 * second);
  expect(await outcomeOf(scene, id)).toBe("running");
  await scene.advance(700 * second, 60 * second);
  expect(await outcomeOf(scene, id)).toBe("lost");
  await scene.queue.close();
});

it("what is idempotent goes to another agent then", async () => {
  const { scene, id } = await sent(new QueueScene(), true);
  scene.fleet.joined.revoke("a1");
  await scene.advance(110 * second, 5 * second);
  scene.agent("a2");
  await scene.advance(15 * second, 5 * second);
  expect(scene.last(id)).toMatchObject({ agent: { agentId: "a2" }, order: { attempt: 2 } });
  await scene.queue.close();
});

it("a host that has joined under the name of another cannot say that the other has not begun", async () => {
  const { scene, id } = await sent();
  const successor = new QueueScene("b-2", scene.store);
  successor.deploy();
  successor.agent("a1");
  const joined = successor.fleet.joined.agent("a1" as AgentId);
  if (joined === undefined) throw new Error("it has joined");
  successor.fleet.joined.byAgent.set(joined.agentId, { ...joined, joinedAt: new Date(successor.nowMs + 60 * second).toISOString() });
  const agent = successor.fleet.agent("a1");
  agent.joined = successor.fleet.joined.agent("a1" as AgentId);
  successor.missing.add(id);
  await scene.queue.close();
  await successor.queue.start();
  await settled();
  await successor.advance(10 * second, second);
  expect(successor.asks.filter(({ question }) => question.ask === "confirm")).not.toEqual([]);
  expect(await outcomeOf(successor, id)).toBe("running");
  expect(successor.exchanges(id)).toEqual([]);
  await successor.queue.close();
});
