import { createInvocationId, LongshoreError, socketAcceptedSchema, socketOpens } from "@longshore/protocol";
import { afterEach, describe, expect, it } from "vitest";
import { QueueScene } from "../queue/testing/queue-scene.ts";
import type { Acceptor } from "./submission-exchange.ts";
import { RawClient, type SocketFixture, startSocketFixture } from "./testing/socket-fixture.ts";

let fixture: SocketFixture;
afterEach(() => fixture.close());

const request = { method: "POST", target: "/", headers: [["X-Order", "7"]] };

async function start(acceptor?: Acceptor): Promise<{ scene: QueueScene; client: RawClient }> {
  const scene = new QueueScene();
  scene.deploy({ tenantId: "default" });
  fixture = await startSocketFixture({}, { acceptor: acceptor ?? scene.queue, limits: { submissionMs: 200 } });
  return { scene, client: await fixture.connect() };
}

function submit(client: RawClient, stream: number, head: Record<string, unknown> = {}, body: Uint8Array | string = "payload"): void {
  client.send(stream, { kind: "open", head: { what: "submit", functionName: "resize", request, more: false, ...head }, body: Buffer.from(body) });
}

/** The frame that answers, as what matters of it. */
async function answer(client: RawClient, stream: number) {
  const frame = await client.next(stream);
  if (frame.kind === "error") return { error: frame.head as { reason: string; field?: string; message: string } };
  if (frame.kind !== "answer") throw new Error(`"${frame.kind}" is no answer`);
  return socketAcceptedSchema.parse(frame.head);
}

describe("a submission over the socket", () => {
  it("is answered by one frame once it is in the queue, with its terms and what its caller sent", async () => {
    const { scene, client } = await start();
    const invocationId = createInvocationId();
    submit(client, 1, { invocationId, delayMs: 60_000, maxAgeMs: 5_000, where: "site=plant", timeoutMs: 9_000 });
    expect(await answer(client, 1)).toMatchObject({ complete: true, view: { state: "waiting", invocationId, functionName: "resize", attempt: 1 } });
    const found = await scene.store.queue.find("default" as never, invocationId);
    expect(found).toMatchObject({ state: "queued", head: { where: { site: "plant" }, timeoutMs: 9_000, request } });
    const { notBeforeMs = 0, expiresAtMs = 0 } = found as { notBeforeMs?: number; expiresAtMs?: number };
    expect(expiresAtMs - notBeforeMs).toBe(5_000);
    expect(Buffer.from(found?.body ?? []).toString()).toBe("payload");
  });

  it("attaches to the same under its id or its key, and is refused where that stands for another", async () => {
    const { client } = await start();
    const invocationId = createInvocationId();
    for (const stream of [1, 2]) submit(client, stream, { invocationId });
    expect((await answer(client, 1)) as object).not.toHaveProperty("replayed");
    expect(await answer(client, 2)).toMatchObject({ replayed: true, view: { invocationId } });
    submit(client, 3, { invocationId }, "another");
    expect(await answer(client, 3)).toMatchObject({ error: { reason: "invocation_exists", field: "invocationId" } });
    for (const stream of [4, 5]) submit(client, stream, { idempotencyKey: "order-7" });
    const [first, again] = [await answer(client, 4), await answer(client, 5)];
    if ("error" in first) throw new Error(first.error.message);
    expect(again).toEqual({ ...first, replayed: true });
    submit(client, 6, { idempotencyKey: "order-7" }, "another");
    const refused = await answer(client, 6);
    expect(refused).toMatchObject({ error: { reason: "idempotency_mismatch", field: "idempotencyKey" } });
    expect("error" in refused && refused.error.message).toContain("invocationId" in first.view ? first.view.invocationId : "?");
  });

  it("takes a body in parts, and none that is too long, has a gap, or never ends", async () => {
    const { scene, client } = await start();
    const part = new Uint8Array(100 * 1024).fill(7);
    const invocationId = createInvocationId();
    submit(client, 1, { invocationId, more: true }, part);
    client.send(1, { kind: "data", sequence: 1, body: part });
    client.send(1, { kind: "end", head: { sequenceCount: 1 } });
    expect(await answer(client, 1)).toMatchObject({ view: { invocationId } });
    expect((await scene.store.queue.find("default" as never, invocationId))?.body).toHaveLength(200 * 1024);
    submit(client, 2, { more: true }, part);
    for (const sequence of [1, 2]) client.send(2, { kind: "data", sequence, body: part });
    expect(await answer(client, 2)).toMatchObject({ error: { reason: "payload_too_large", field: "body" } });
    submit(client, 3, { more: true });
    client.send(3, { kind: "end", head: { sequenceCount: 2 } });
    expect(await answer(client, 3)).toMatchObject({ error: { reason: "bad_frame" } });
    submit(client, 4, { more: true });
    expect(await answer(client, 4)).toMatchObject({ error: { reason: "body_too_slow" } });
    submit(client, 5, { more: true });
    client.send(5, { kind: "cancel", head: { reason: "abandoned" } });
    expect(await answer(client, 5)).toMatchObject({ error: { reason: "caller_gone" } });
    expect((await scene.store.queue.list("entry", { tenantId: "*", functionName: "*", after: 0, limit: 10 })).length).toBe(1);
  });

  it("names what of it is wrong, as HTTP does, and the socket goes on", async () => {
    const { client } = await start();
    const wrong: readonly [head: Record<string, unknown>, reason: string, field: string | undefined][] = [
      [{ functionName: "no.name" }, "bad_name", "functionName"],
      [{ functionName: "unknown" }, "function_not_found", undefined],
      [{ invocationId: "seven" }, "bad_name", "invocationId"],
      [{ idempotencyKey: "two words" }, "bad_header", "idempotencyKey"],
      [{ idempotencyKey: "k", invocationId: createInvocationId() }, "bad_schema", "idempotencyKey"],
      [{ where: "moon" }, "bad_schema", "where"],
      [{ notBefore: "tomorrow" }, "bad_schema", "notBefore"],
      [{ notBefore: "2030-01-01T00:00:00Z", delayMs: 5 }, "bad_schema", "delayMs"],
      [{ delayMs: -1 }, "bad_schema", "delayMs"],
      [{ maxAgeMs: 1 }, "bad_schema", "maxAgeMs"],
      [{ detach: true }, "bad_schema", "detach"],
      [{ request: { ...request, headers: [["a b", "c"]] } }, "bad_header", "request.headers[0]"],
    ];
    const told: unknown[] = [];
    for (const [index, [head]] of wrong.entries()) {
      submit(client, index + 1, head);
      const { error } = (await answer(client, index + 1)) as { error: { reason: string; field?: string } };
      told.push([head, error.reason, error.field]);
    }
    expect(told).toEqual(wrong);
    submit(client, 100);
    expect(await answer(client, 100)).toMatchObject({ complete: true });
  });

  it("says that nobody can tell where the bus is away, without a word of how far it came", async () => {
    const { client } = await start({ accept: () => Promise.reject(new LongshoreError("bus_down", "Cannot accept: the bus is away")) });
    submit(client, 1);
    const { error } = (await answer(client, 1)) as { error: object };
    expect(error).toMatchObject({ reason: "bus_down" });
    expect(error).not.toHaveProperty("phase");
  });

  it("ends with a broker that drains while its body comes, and is answered by one that is writing it", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const view = { state: "waiting", invocationId: createInvocationId(), functionName: "resize", acceptedAt: "2026-11-25T00:00:00.000Z" } as const;
    const { client } = await start({ accept: () => promise.then(() => ({ isNew: true, view })) });
    submit(client, 1, { more: true });
    submit(client, 2);
    client.send(0, { kind: "credit", bytes: 0 });
    await client.next(0);
    const drained = fixture.sockets.drain(5_000);
    expect(await answer(client, 1)).toMatchObject({ error: { reason: "broker_draining" } });
    resolve();
    expect(await answer(client, 2)).toMatchObject({ view });
    await drained;
  });
});

describe("the welcome of a socket", () => {
  it("says which exchanges the broker takes", async () => {
    await start();
    const client = new RawClient(fixture.url);
    await client.opened;
    client.send(0, { kind: "open", head: {}, body: new Uint8Array(0) });
    expect(await client.next(0)).toMatchObject({ kind: "answer", head: { takes: socketOpens } });
    client.close();
  });
});
