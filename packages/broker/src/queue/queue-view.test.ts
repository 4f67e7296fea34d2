import { createInvocationId, type InvocationId, type InvocationList, invocationListSchema } from "@longshore/protocol";
import { describe, expect, it } from "vitest";
import type { QueueTerms } from "../bus/queue-store.ts";
import { DeadLetters } from "./dead-letters.ts";
import { acme, type QueueScene, settled, startedScene } from "./testing/queue-scene.ts";

const query = { state: "pending", after: 0, limit: 50 } as const;
const idsOf = ({ invocations }: InvocationList) => invocations.map((view) => ("record" in view ? view.record.invocationId : view.invocationId));

/** Something that this version cannot read stands in the queue. */
async function damaged(scene: QueueScene, head: unknown, terms: Partial<QueueTerms> = {}): Promise<InvocationId> {
  const invocationId = createInvocationId();
  const due = { attempt: 1, notBeforeMs: scene.nowMs + 60_000, expiresAtMs: scene.nowMs + 3_600_000, sentUntilMs: 0, ...terms };
  await scene.store.queue.accept({ tenantId: acme, functionName: "resize" as never, invocationId }, due, head, new Uint8Array(0));
  await settled();
  return invocationId;
}

async function headOf(scene: QueueScene, id: InvocationId): Promise<unknown> {
  return (await scene.store.queue.find(acme, id))?.head;
}

describe("a page of invocations", () => {
  it("names what cannot be read beside the others, whatever of it is damaged", async () => {
    const scene = await startedScene();
    const before = await scene.accept({ notBeforeMs: scene.nowMs + 60_000 });
    const newer = await damaged(scene, { kind: "of another version" });
    const whole = await headOf(scene, before);
    const noTerms = await damaged(scene, whole, { attempt: 0 });
    const noTime = await damaged(scene, whole, { expiresAtMs: 1e300 });
    const sent = await damaged(scene, undefined, { sentUntilMs: scene.nowMs + 3_600_000, sentTo: { siteId: "plant" as never, agentId: "a1" as never } });
    const after = await scene.accept({ notBeforeMs: scene.nowMs + 60_000 });
    const list = await scene.queue.list(acme, query);
    expect(idsOf(list)).toEqual([before, after]);
    expect(list.unreadable).toEqual([newer, noTerms, noTime].map((invocationId) => ({ invocationId, functionName: "resize", state: "waiting" })).concat({ invocationId: sent, functionName: "resize", state: "running" }));
    expect(invocationListSchema.parse(JSON.parse(JSON.stringify(list)))).toEqual(list);
  });

  it("goes on behind one that cannot be read, and says nothing of such where there is none", async () => {
    const scene = await startedScene();
    const id = await damaged(scene, undefined);
    const next = await scene.accept({ notBeforeMs: scene.nowMs + 60_000 });
    const first = await scene.queue.list(acme, { ...query, limit: 1 });
    expect(first).toMatchObject({ invocations: [], unreadable: [{ invocationId: id }] });
    const second = await scene.queue.list(acme, { ...query, after: first.next ?? 0 });
    expect(idsOf(second)).toEqual([next]);
    expect(second).not.toHaveProperty("unreadable");
  });

  it("names records and dead letters that cannot be read as well", async () => {
    const scene = await startedScene();
    const invocationId = await damaged(scene, undefined);
    await scene.store.queue.finish({ tenantId: acme, functionName: "resize" as never, invocationId }, { of: "another version" }, new Uint8Array(0), { dead: { head: 7, body: new Uint8Array(0) } });
    const unreadable = [{ invocationId, functionName: "resize", state: "finished" }];
    expect(await scene.queue.list(acme, { ...query, state: "finished" })).toEqual({ invocations: [], unreadable });
    const deadLetters = new DeadLetters({ store: scene.store.queue, bodies: scene.store.bodies, queue: scene.queue, log: undefined as never });
    expect(await deadLetters.list(acme, query)).toEqual({ deadLetters: [], unreadable });
  });
});
