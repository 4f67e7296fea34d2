import type { Outcome } from "@longshore/protocol";
import { describe, expect, expectTypeOf, it } from "vitest";
import { z } from "zod";
import { InvocationError } from "./error.ts";
import type { InvokeBody } from "./invoke.ts";
import { startBrokerScene } from "./testing/broker-scene.ts";

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const typed = (type: string | undefined) => ({ headers: type === undefined ? [] : [["Content-Type", type]] });

/** Invokes, and answers as told; gives what was sent and what came of it. */
async function invoked(body: InvokeBody, answer: { body?: string; head?: Record<string, unknown> } = {}, headers: readonly (readonly [string, string])[] = []) {
  await using scene = startBrokerScene();
  const pending = scene.fleet.invoke("f", body, { headers });
  pending.catch(() => undefined);
  const exchange = await scene.broker.nextExchange();
  exchange.complete(answer.body ?? "", answer.head);
  const sent = text(exchange.body);
  const request = exchange.head["request"] as { headers: [string, string][] };
  return { sent, contentType: request.headers.find(([name]) => name === "content-type")?.[1], value: await pending };
}

describe("invoke() sends", () => {
  it.each<[what: string, body: InvokeBody, sent: string, contentType: string | undefined]>([
    ["nothing as nothing", undefined, "", undefined],
    ["a string as text", "hi", "hi", "text/plain;charset=UTF-8"],
    ["an object as JSON", { a: [1] }, '{"a":[1]}', "application/json"],
    ["null as JSON", null, "null", "application/json"],
    ["false as JSON", false, "false", "application/json"],
    ["a number as JSON", 0, "0", "application/json"],
    ["bytes as they are", new TextEncoder().encode("raw"), "raw", undefined],
    ["a buffer as it is", new TextEncoder().encode("raw").buffer, "raw", undefined],
    ["a view as the bytes it shows", new DataView(new TextEncoder().encode("-raw-").buffer, 1, 3), "raw", undefined],
  ])("%s", async (_what, body, sent, contentType) => {
    expect(await invoked(body)).toMatchObject({ sent, contentType });
  });

  it("a Blob under its type, as a stream", async () => {
    await using scene = startBrokerScene();
    const pending = scene.fleet.invoke("f", new Blob(["raw"], { type: "image/x" }));
    const exchange = await scene.broker.nextExchange();
    expect(exchange.head["request"]).toMatchObject({ headers: [["content-type", "image/x"]] });
    expect(await exchange.next()).toMatchObject({ kind: "data", sequence: 1 });
    exchange.complete();
    await pending;
  });

  it("a path as it is, but for what no request line takes", async () => {
    await using scene = startBrokerScene();
    const pending = scene.fleet.invoke("f", undefined, { path: "/a%2Fb//é x?q=ü&r=[1]" });
    const exchange = await scene.broker.nextExchange();
    expect(exchange.head["request"]).toMatchObject({ target: "/a%2Fb//%C3%A9%20x?q=%C3%BC&r=[1]" });
    exchange.complete();
    await pending;
  });

  it("a content type of the caller's own", async () => {
    expect((await invoked({}, {}, [["content-type", "application/cloudevents+json"]])).contentType).toBe("application/cloudevents+json");
  });

  it.each<[what: string, body: InvokeBody]>([
    ["a circle", (() => {
      const circle: Record<string, unknown> = {};
      circle["self"] = circle;
      return circle;
    })()],
    ["a function", () => 1],
    ["a BigInt in an object", { big: 1n }],
  ])("nothing that is not JSON (%s), naming body", async (_what, body) => {
    await using scene = startBrokerScene();
    await expect(scene.fleet.invoke("f", body)).rejects.toMatchObject({ reason: "bad_schema", field: "body" });
    expect(scene.broker.sockets).toEqual([]);
  });
});

describe("invoke() gives", () => {
  it.each<[type: string | undefined, body: string, value: unknown]>([
    ["application/json", '{"a":1}', { a: 1 }],
    ["Application/Problem+JSON; charset=utf-8", "[1]", [1]],
    ["text/plain", "1", "1"],
    ["text/html;charset=utf-8", "ü", "ü"],
    ["application/octet-stream", "1", new TextEncoder().encode("1")],
    [undefined, "1", new TextEncoder().encode("1")],
    ["json", "1", new TextEncoder().encode("1")],
  ])("an answer of type %s read as such", async (type, body, value) => {
    expect((await invoked("x", { body, head: typed(type) })).value).toEqual(value);
  });

  it("bad_answer for JSON that is none", async () => {
    await expect(invoked("x", { body: "<html>", head: typed("application/json") })).rejects.toMatchObject({ reason: "bad_answer", phase: "execution" });
  });

  it("a streamed answer in one piece", async () => {
    await using scene = startBrokerScene();
    const pending = scene.fleet.invoke("f");
    const exchange = await scene.broker.nextExchange();
    exchange.begin(typed("application/json"));
    exchange.data("[1,");
    exchange.data("2]");
    exchange.end();
    expect(await pending).toEqual([1, 2]);
  });
});

describe("invoke() throws", () => {
  const failing = (head: Record<string, unknown>, body = "") => invoked("x", { body, head }).catch((error: unknown) => error);

  it.each<[result: { outcome: Outcome } & Record<string, unknown>, code: string, message: string]>([
    [{ outcome: "failed", exitCode: 3 }, "internal", 'Function "f" failed (exit code 3)'],
    [{ outcome: "failed", signal: "SIGSEGV", message: "it fell" }, "internal", 'Function "f" failed (SIGSEGV): it fell'],
    [{ outcome: "timed_out" }, "deadline_exceeded", 'Function "f" timed out'],
    [{ outcome: "oom_killed" }, "resource_exhausted", 'Function "f" ran out of memory'],
    [{ outcome: "cancelled" }, "cancelled", 'Function "f" was cancelled'],
    [{ outcome: "lost" }, "unavailable", 'Function "f" was lost and may or may not have run'],
  ])("what became of it: %j", async (result, code, message) => {
    const error = await failing({ result, siteId: "plant", agentId: "a1" });
    expect(error).toBeInstanceOf(InvocationError);
    expect(error).toMatchObject({ code, message, reason: result.outcome, phase: "execution", functionName: "f", result, siteId: "plant", agentId: "a1", invocationId: expect.any(String) });
  });

  it("our own error's code and phase for a rejected one", async () => {
    const error = { code: "unavailable", reason: "image_pull_failed", phase: "startup", message: "no such image" };
    expect(await failing({ result: { outcome: "rejected", error } })).toMatchObject({ code: "unavailable", reason: "rejected", phase: "startup", message: expect.stringContaining("no such image") });
  });

  it.each([[400, "invalid_argument"], [404, "not_found"], [429, "resource_exhausted"], [500, "internal"]] as const)("for the function's own HTTP %i, with its body", async (status, code) => {
    const error = await failing({ status, result: { outcome: "succeeded", status } }, "because");
    expect(error).toMatchObject({ code, reason: "http_status", status, message: `Function "f" answered HTTP ${status}` });
    expect((error as InvocationError).text()).toBe("because");
  });

  it("with as much of a streamed body as came", async () => {
    await using scene = startBrokerScene();
    const pending = scene.fleet.invoke("f").catch((error: unknown) => error);
    const exchange = await scene.broker.nextExchange();
    exchange.begin();
    exchange.data("half ");
    exchange.data("of it");
    exchange.end({ outcome: "failed", exitCode: 1 });
    expect(((await pending) as InvocationError).text()).toBe("half of it");
  });

  it("a LongshoreError when nobody can tell what became of it", async () => {
    await using scene = startBrokerScene();
    const pending = scene.fleet.invoke("f");
    const exchange = await scene.broker.nextExchange();
    exchange.begin();
    exchange.data("half");
    exchange.socket.break();
    await expect(pending).rejects.toMatchObject({ name: "LongshoreError", reason: "connection_lost" });
  });
});

describe("a typed function", () => {
  const schemas = {
    input: z.object({ width: z.number().default(10), tags: z.array(z.string()).optional() }),
    output: z.object({ made: z.coerce.date() }),
  };
  const answering = async (body: string, input: z.input<typeof schemas.input> = {}) => {
    await using scene = startBrokerScene();
    const resize = scene.fleet.function("resize", schemas);
    const pending = resize(input);
    pending.catch(() => undefined);
    const exchange = await scene.broker.nextExchange();
    exchange.complete(body, typed("application/json"));
    return { sent: text(exchange.body), value: await pending };
  };

  it("has the types of its schemas", () => {
    const { fleet } = startBrokerScene();
    const resize = fleet.function("resize", schemas);
    expectTypeOf(resize).parameter(0).toEqualTypeOf<{ width?: number | undefined; tags?: string[] | undefined }>();
    expectTypeOf(resize).returns.toEqualTypeOf<Promise<{ made: Date }>>();
  });

  it("sends its input with defaults filled in, and gives its output as the schema reads it", async () => {
    const { sent, value } = await answering('{"made":"2026-01-02T00:00:00Z"}');
    expect(sent).toBe('{"width":10}');
    expectTypeOf(value).toEqualTypeOf<{ made: Date }>();
    expect(value.made.getUTCFullYear()).toBe(2026);
  });

  it("names the field of an input that does not fit, before anything is sent", async () => {
    await using scene = startBrokerScene();
    const resize = scene.fleet.function("resize", schemas);
    await expect(resize({ tags: ["a", 1 as never] })).rejects.toMatchObject({ reason: "bad_schema", field: "input.tags[1]" });
    await expect(resize(1 as never)).rejects.toMatchObject({ reason: "bad_schema", field: "input" });
    expect(scene.broker.sockets).toEqual([]);
  });

  it("names the field of an output that does not fit", async () => {
    await expect(answering("{}")).rejects.toMatchObject({ reason: "bad_answer", field: "output.made", phase: "execution" });
  });

  it("waits for a check that takes its time", async () => {
    await using scene = startBrokerScene();
    const slow = scene.fleet.function("slow", { input: z.string().refine(async () => Promise.resolve(false), "is not there"), output: z.unknown() });
    await expect(slow("x")).rejects.toMatchObject({ reason: "bad_schema", message: 'Cannot call "slow": input: is not there' });
  });
});
