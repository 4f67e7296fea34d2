import { createInvocationId, type FunctionName } from "@longshore/protocol";
import { expect, it } from "vitest";
import { systemClock } from "../../packages/broker/src/clock.ts";
import { acme, keyOf, terms } from "../../packages/broker/src/bus/testing/queue-contract.ts";
import { Overdue } from "../../packages/broker/src/queue/overdue.ts";
import { address, TestBus } from "../support/nats.ts";
import { silentLog } from "../support/silent-log.ts";

const hour = 3_600_000;
const page = { tenantId: acme, functionName: "*" as const, after: 0, limit: 10 };
const until = async (condition: () => Promise<boolean>) => {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 50));
};

it("the server takes an entry out an hour after its time, whole, and it ends once, whichever broker sees to it", async () => {
  await using testBus = await TestBus.start();
  const queues = [(await testBus.broker("b1")).store.queue, (await testBus.broker("b2")).store.queue] as const;
  const [one, other] = queues;
  const [waiting, running] = [keyOf(), keyOf("shrink" as FunctionName)];
  const soon = Date.now() - hour + 1_000;
  const sentTo = address("plant", "a1");
  await one.accept(waiting, terms({ expiresAtMs: soon, isCancelled: true }), { of: "waiting" }, Buffer.from("body"));
  await one.accept(running, terms({ attempt: 2, notBeforeMs: 7, expiresAtMs: 5, sentUntilMs: soon, sentTo }), { of: "running" }, Buffer.from("body"));
  await until(async () => (await other.list("overdue", page)).length === 2);
  expect(await other.list("entry", page)).toEqual([]);
  expect((await other.list("overdue", page)).toSorted((a, b) => (a.functionName < b.functionName ? -1 : 1))).toMatchObject([
    { ...waiting, terms: { attempt: 1, expiresAtMs: soon, sentUntilMs: 0, isCancelled: true }, head: { of: "waiting" }, body: Buffer.from("body") },
    { ...running, terms: { attempt: 2, notBeforeMs: 7, expiresAtMs: 5, sentUntilMs: soon, sentTo }, head: { of: "running" }, body: Buffer.from("body") },
  ]);
  expect(await one.find(acme, waiting.invocationId)).toMatchObject({ state: "queued", isOverdue: true });
  expect(await one.accept({ ...waiting, invocationId: waiting.invocationId }, terms(), {}, Buffer.from(""))).toBe(false);

  const stored: string[] = [];
  const reconcilers = queues.map((queue, index) => new Overdue({
    queue,
    end: async (overdue) => {
      // With a dead letter, or alone: each is another way to write.
      const along = overdue.invocationId === running.invocationId ? { dead: { head: {}, body: overdue.body } } : {};
      if (await queue.finish(overdue, { by: index }, Buffer.from(""), along)) stored.push(overdue.invocationId);
    },
    clock: systemClock,
    log: silentLog,
  }));
  for (const each of reconcilers) each.start();
  await until(async () => (await other.list("overdue", page)).length === 0);
  for (const each of reconcilers) each.close();
  expect(stored.toSorted()).toEqual([waiting.invocationId, running.invocationId].toSorted());
  for (const { invocationId } of [waiting, running]) expect(await other.find(acme, invocationId)).toMatchObject({ state: "finished" });
  expect(await one.accept(keyOf("resize" as FunctionName, createInvocationId()), terms(), {}, Buffer.from(""))).toBe(true);
});
