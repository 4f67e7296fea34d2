import { chunkBytes, createInvocationId, type Frame, windowBytes } from "@longshore/protocol";
import { describe, expect, it } from "vitest";
import { invocationIdOf } from "./error.ts";
import { settled, startBrokerScene } from "./testing/broker-scene.ts";

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const dataBytes = (frame: Frame) => (frame.kind === "data" ? frame.body.length : 0);

describe("a call over a socket", () => {
  it("opens the socket, says hello, and sends all that the caller said", async () => {
    await using scene = startBrokerScene({ key: "lsk_1" });
    const invocationId = createInvocationId();
    const call = scene.fleet.call("echo", "hi", { where: { site: "plant", labels: { gpu: "true" } }, timeoutMs: 5, invocationId, detach: true, method: "PUT", path: "/x?y", headers: [["A", "b"]] });
    const exchange = await scene.broker.nextExchange();
    expect(exchange.socket).toMatchObject({ url: "ws://broker.test:4270/v1/socket", protocols: "longshore.v1", binaryType: "arraybuffer", hello: { key: "lsk_1" } });
    const { timeoutMs, ...head } = exchange.head;
    expect(head).toEqual({ what: "invoke", functionName: "echo", invocationId, where: "site=plant,label.gpu=true", detach: true, request: { method: "PUT", target: "/x?y", headers: [["A", "b"]] }, more: false });
    expect(timeoutMs).toBeLessThanOrEqual(5);
    expect(text(exchange.body)).toBe("hi");
    exchange.complete("ho", { status: 201, headers: [["X", "y"]], siteId: "plant", agentId: "a1", start: "held", result: { outcome: "succeeded", status: 201 } });
    const answer = await call;
    expect(answer).toMatchObject({ status: 201, headers: [["X", "y"]], siteId: "plant", agentId: "a1", start: "held", invocationId });
    expect(await answer.text()).toBe("ho");
    expect(await answer.result).toEqual({ outcome: "succeeded", status: 201 });
  });

  it("shares one socket with all others, which may overtake it", async () => {
    await using scene = startBrokerScene();
    const calls = Array.from({ length: 20 }, (_, index) => scene.fleet.call("echo", `${index}`));
    const socket = await scene.broker.nextSocket();
    const exchanges = await Promise.all(calls.map(() => socket.nextExchange()));
    expect(exchanges.map(({ stream }) => stream)).toEqual(calls.map((_, index) => index + 1));
    for (const exchange of exchanges.toReversed()) exchange.complete(exchange.body);
    expect(await Promise.all(calls.map(async (call) => (await call).text()))).toEqual(calls.map((_, index) => `${index}`));
    expect(scene.broker.sockets).toHaveLength(1);
  });

  it("gives what a function without any answer came to", async () => {
    await using scene = startBrokerScene();
    const call = scene.fleet.call("job");
    (await scene.broker.nextExchange()).end({ outcome: "failed", exitCode: 3 });
    const answer = await call;
    expect(await answer.result).toEqual({ outcome: "failed", exitCode: 3 });
    expect(await answer.bytes()).toHaveLength(0);
  });

  it("rejects with what the broker refused, and says which invocation", async () => {
    await using scene = startBrokerScene();
    const invocationId = createInvocationId();
    const call = scene.fleet.call("none", undefined, { invocationId });
    (await scene.broker.nextExchange()).fail({ code: "not_found", reason: "function_not_found", phase: "admission", message: "no", field: "functionName" });
    const error: unknown = await call.catch((caught: unknown) => caught);
    expect(error).toMatchObject({ name: "LongshoreError", code: "not_found", reason: "function_not_found", phase: "admission", field: "functionName" });
    expect(invocationIdOf(error)).toBe(invocationId);
  });
});

describe("a streamed answer", () => {
  const streamed = async (scene: ReturnType<typeof startBrokerScene>) => {
    const call = scene.fleet.call("stream");
    const exchange = await scene.broker.nextExchange();
    exchange.begin({ status: 200 });
    return { exchange, answer: await call };
  };

  it("comes part by part, its result after its body", async () => {
    await using scene = startBrokerScene();
    const { exchange, answer } = await streamed(scene);
    const reader = answer.body.getReader();
    const first = reader.read();
    exchange.data("one");
    expect(text((await first).value!)).toBe("one");
    exchange.data("two");
    exchange.end({ outcome: "succeeded", status: 200 });
    expect(text((await reader.read()).value!)).toBe("two");
    expect((await reader.read()).done).toBe(true);
    expect(await answer.result).toEqual({ outcome: "succeeded", status: 200 });
  });

  it("is granted credit only for bytes that were read", async () => {
    await using scene = startBrokerScene();
    const { exchange, answer } = await streamed(scene);
    for (let sent = 0; sent < windowBytes; sent += chunkBytes) exchange.data(new Uint8Array(chunkBytes));
    await settled();
    expect(exchange.waiting).toBe(0);
    const reader = answer.body.getReader();
    await reader.read();
    expect(exchange.waiting).toBe(0);
    await reader.read();
    expect(await exchange.next()).toEqual({ kind: "credit", bytes: 2 * chunkBytes });
    await reader.read();
    expect(exchange.waiting).toBe(0);
  });

  it.each(["passes its credit", "leaves a gap", "is not counted right"])("that %s fails, and ends the run", async (fault) => {
    await using scene = startBrokerScene();
    const { exchange, answer } = await streamed(scene);
    const body = answer.bytes();
    if (fault === "passes its credit") exchange.data(new Uint8Array(windowBytes + 1));
    else if (fault === "leaves a gap") exchange.push({ kind: "data", sequence: 2, body: new Uint8Array(1) });
    else exchange.push({ kind: "end", head: { sequenceCount: 1, result: { outcome: "succeeded" } } });
    await expect(body).rejects.toMatchObject({ reason: "bad_frame", phase: "execution" });
    await expect(answer.result).rejects.toMatchObject({ reason: "bad_frame" });
    expect(await exchange.next()).toMatchObject({ kind: "cancel" });
    const next = scene.fleet.call("other");
    (await scene.broker.nextExchange()).complete("fine");
    expect(await (await next).text()).toBe("fine");
  });

  it("whose reader goes away is cancelled, and its outcome is still known", async () => {
    await using scene = startBrokerScene();
    const { exchange, answer } = await streamed(scene);
    exchange.data("unread");
    await answer.body.cancel();
    expect(await exchange.next()).toEqual({ kind: "cancel", head: { reason: "abandoned" } });
    exchange.data("on its way");
    exchange.push({ kind: "end", head: { sequenceCount: 9, result: { outcome: "cancelled" } } });
    expect(await answer.result).toEqual({ outcome: "cancelled" });
    expect(exchange.waiting).toBe(0);
  });

  it("that was not heard out gives what came, then an error", async () => {
    await using scene = startBrokerScene();
    const { exchange, answer } = await streamed(scene);
    exchange.data("half");
    exchange.end({ outcome: "timed_out", status: 200, message: "too slow" });
    const reader = answer.body.getReader();
    expect(text((await reader.read()).value!)).toBe("half");
    await expect(reader.read()).rejects.toMatchObject({ reason: "body_incomplete", message: "too slow" });
    expect(await answer.result).toMatchObject({ outcome: "timed_out" });
  });

  it("of a function that says no with its own status is whole", async () => {
    await using scene = startBrokerScene();
    const { exchange, answer } = await streamed(scene);
    exchange.data("sorry");
    exchange.end({ outcome: "failed", status: 500 });
    expect(await answer.text()).toBe("sorry");
  });
});

describe("a request body", () => {
  const sentOf = async (exchange: { next(): Promise<Frame>; waiting: number }) => {
    let total = 0;
    while (exchange.waiting > 0) total += dataBytes(await exchange.next());
    return total;
  };

  it("of more than a chunk goes in numbered chunks, no more of them than there is credit for", async () => {
    await using scene = startBrokerScene();
    const call = scene.fleet.call("upload", new Uint8Array(windowBytes + chunkBytes));
    const exchange = await scene.broker.nextExchange();
    expect(exchange.head["more"]).toBe(true);
    await settled();
    expect(await sentOf(exchange)).toBe(windowBytes);
    exchange.push({ kind: "credit", bytes: chunkBytes });
    expect(await exchange.next()).toMatchObject({ kind: "data", sequence: 5 });
    expect(await exchange.next()).toEqual({ kind: "end", head: { sequenceCount: 5 } });
    exchange.complete("ok");
    await call;
  });

  it("as a stream is read no faster than credit comes", async () => {
    await using scene = startBrokerScene();
    let pulled = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        pulled += 1;
        controller.enqueue(new Uint8Array(chunkBytes));
      },
    }, { highWaterMark: 0 });
    const call = scene.fleet.call("upload", body);
    const exchange = await scene.broker.nextExchange();
    await settled();
    expect(await sentOf(exchange)).toBe(windowBytes);
    expect(pulled).toBe(windowBytes / chunkBytes + 1);
    exchange.push({ kind: "credit", bytes: 2 * chunkBytes });
    await settled();
    expect(await sentOf(exchange)).toBe(2 * chunkBytes);
    expect(pulled).toBe(windowBytes / chunkBytes + 3);
    exchange.complete("enough");
    await call;
  });

  it.each(["answers early", "aborts", "breaks"] as const)("that waits for credit is let go when the call %s", async (how) => {
    await using scene = startBrokerScene();
    const leaving = new AbortController();
    const cancelled = Promise.withResolvers<unknown>();
    const body = new ReadableStream<Uint8Array>({ pull: (controller) => controller.enqueue(new Uint8Array(chunkBytes)), cancel: (reason) => cancelled.resolve(reason) });
    const call = scene.fleet.call("upload", body, { signal: leaving.signal });
    call.catch(() => undefined);
    const exchange = await scene.broker.nextExchange();
    await settled();
    if (how === "answers early") exchange.complete("no need");
    else if (how === "aborts") leaving.abort();
    else exchange.socket.break();
    await cancelled.promise;
    await Promise.allSettled([call]);
  });

  it("whose maker fails, and whose cancelling fails, harms nobody else", async () => {
    await using scene = startBrokerScene();
    const cause = new Error("disk");
    const call = scene.fleet.call("upload", new ReadableStream<Uint8Array>({ pull: (controller) => controller.error(cause), cancel: () => Promise.reject(cause) }));
    const exchange = await scene.broker.nextExchange();
    await expect(call).rejects.toMatchObject({ reason: "body_incomplete", cause });
    expect(await exchange.next()).toMatchObject({ kind: "cancel" });
  });

  it("that gives no bytes, or is read by somebody else, is refused", async () => {
    await using scene = startBrokerScene();
    await expect(scene.fleet.call("upload", new ReadableStream({ start: (controller) => controller.enqueue("text" as never) }))).rejects.toMatchObject({ reason: "bad_schema", field: "body" });
    const locked = new ReadableStream<Uint8Array>();
    locked.getReader();
    await expect(scene.fleet.call("upload", locked)).rejects.toMatchObject({ reason: "body_incomplete" });
  });
});

describe("an abort", () => {
  it("before anything was sent sends nothing", async () => {
    await using scene = startBrokerScene();
    const call = scene.fleet.call("echo", undefined, { signal: AbortSignal.abort(new Error("changed my mind")) });
    await expect(call).rejects.toMatchObject({ reason: "caller_gone", code: "cancelled", cause: { message: "changed my mind" } });
    expect(scene.broker.sockets).toEqual([]);
  });

  it("while the socket is being opened lets go of the body, and sends nothing", async () => {
    await using scene = startBrokerScene();
    scene.broker.greet = () => undefined;
    const leaving = new AbortController();
    const cancelled = Promise.withResolvers<unknown>();
    const call = scene.fleet.call("echo", new ReadableStream<Uint8Array>({ cancel: (reason) => cancelled.resolve(reason) }), { signal: leaving.signal });
    const socket = await scene.broker.nextSocket();
    leaving.abort();
    await expect(call).rejects.toMatchObject({ reason: "caller_gone" });
    await cancelled.promise;
    socket.welcome();
    await settled();
    expect(socket.exchanges.size).toBe(0);
  });

  it("before the answer ends the run, once", async () => {
    await using scene = startBrokerScene();
    const leaving = new AbortController();
    const call = scene.fleet.call("slow", undefined, { signal: leaving.signal });
    const exchange = await scene.broker.nextExchange();
    leaving.abort();
    await expect(call).rejects.toMatchObject({ reason: "caller_gone" });
    expect(await exchange.next()).toEqual({ kind: "cancel", head: { reason: "abandoned" } });
    exchange.begin();
    exchange.data("late");
    exchange.end({ outcome: "cancelled" });
    await settled();
    expect(exchange.waiting).toBe(0);
  });

  it("after the answer began ends its body at once, and the outcome is still known", async () => {
    await using scene = startBrokerScene();
    const leaving = new AbortController();
    const call = scene.fleet.call("slow", undefined, { signal: leaving.signal });
    const exchange = await scene.broker.nextExchange();
    exchange.begin();
    const answer = await call;
    exchange.data("unread");
    leaving.abort();
    await expect(answer.text()).rejects.toMatchObject({ reason: "caller_gone" });
    expect(await exchange.next()).toMatchObject({ kind: "cancel" });
    exchange.end({ outcome: "cancelled" });
    expect(await answer.result).toEqual({ outcome: "cancelled" });
  });

  it("after the end changes nothing", async () => {
    await using scene = startBrokerScene();
    const leaving = new AbortController();
    const call = scene.fleet.call("quick", undefined, { signal: leaving.signal });
    const exchange = await scene.broker.nextExchange();
    exchange.complete("done");
    const answer = await call;
    leaving.abort();
    expect(await answer.text()).toBe("done");
    expect(exchange.waiting).toBe(0);
  });
});

describe("a connection that breaks", () => {
  it("fails every call under way, each with its own invocation's id", async () => {
    await using scene = startBrokerScene();
    const ids = Array.from({ length: 3 }, () => createInvocationId());
    const calls = ids.map((invocationId) => scene.fleet.call("slow", undefined, { invocationId }));
    const socket = await scene.broker.nextSocket();
    for (const _ of ids) await socket.nextExchange();
    socket.break();
    const errors = (await Promise.allSettled(calls)).map((each) => (each as PromiseRejectedResult).reason as unknown);
    expect(errors).toMatchObject(ids.map(() => ({ reason: "connection_lost", code: "unavailable", phase: "execution" })));
    expect(errors.map(invocationIdOf)).toEqual(ids);
  });

  it("under a streamed answer gives what came, then fails body and result", async () => {
    await using scene = startBrokerScene();
    const call = scene.fleet.call("stream");
    const exchange = await scene.broker.nextExchange();
    exchange.begin();
    exchange.data("half");
    const answer = await call;
    exchange.socket.break();
    const reader = answer.body.getReader();
    expect(text((await reader.read()).value!)).toBe("half");
    await expect(reader.read()).rejects.toMatchObject({ reason: "connection_lost" });
    await expect(answer.result).rejects.toMatchObject({ reason: "connection_lost" });
  });
});

describe("what a broker should not send", () => {
  const slips: [what: string, frame: Frame][] = [
    ["an answer that is none", { kind: "answer", head: { complete: "yes" }, body: new Uint8Array(0) }],
    ["headers that are none", { kind: "answer", head: { complete: true, headers: [["a"]] }, body: new Uint8Array(0) }],
    ["an unknown outcome", { kind: "answer", head: { complete: true, result: { outcome: "splendid" } }, body: new Uint8Array(0) }],
    ["data before the answer", { kind: "data", sequence: 1, body: new Uint8Array(1) }],
    ["an end without a result", { kind: "end", head: { sequenceCount: 0 } }],
    ["an error that is none", { kind: "error", head: { code: "splendid" } }],
    ["an open", { kind: "open", head: {}, body: new Uint8Array(0) }],
  ];

  it.each(slips)("(%s) fails that call only", async (_what, frame) => {
    await using scene = startBrokerScene();
    const call = scene.fleet.call("odd");
    const other = scene.fleet.call("other");
    const exchange = await scene.broker.nextExchange();
    exchange.push(frame);
    await expect(call).rejects.toMatchObject({ name: "LongshoreError", phase: "execution" });
    expect(await exchange.next()).toMatchObject({ kind: "cancel" });
    (await scene.broker.nextExchange()).complete("fine");
    expect(await (await other).text()).toBe("fine");
  });
});
