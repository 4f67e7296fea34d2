import { chunkBytes, createInvocationId } from "@longshore/protocol";
import { describe, expect, it } from "vitest";
import { invocationIdOf } from "./error.ts";
import { createFleet } from "./fleet.ts";
import { type Answerer, createFakeFetch, openBody } from "./testing/fake-fetch.ts";

const setUp = (answer: Answerer) => {
  const { fetch, seen } = createFakeFetch(answer);
  return { seen, fleet: createFleet({ url: "https://broker.test/base/", key: "lsk_1", transport: "http", fetch }) };
};
const served = { "longshore-site": "plant", "longshore-agent": "a1", "longshore-start": "warm" };
const problem = (status: number, document: Record<string, unknown>, headers: Record<string, string> = {}) =>
  Response.json(document, { status, headers: { "content-type": "application/problem+json", ...headers } });
const record = (result: Record<string, unknown>) => ({
  state: "finished",
  record: { invocationId: "i", functionName: "f", attempt: 1, result, acceptedAt: "", finishedAt: "", timings: {}, payloadBytes: 0, resultBytes: 0, resultKept: false },
});

describe("a call over HTTP", () => {
  it("goes to the function's invocations with all that the caller said", async () => {
    const invocationId = createInvocationId();
    const { fleet, seen } = setUp(() => new Response("ho", { headers: { ...served, "longshore-result": "succeeded", "content-length": "2", "x-own": "y", "longshore-invocation-id": invocationId } }));
    const answer = await fleet.call("echo", "hi", { where: "site=plant", timeoutMs: 1.5, invocationId, headers: [["X-A", "1"], ["x-a", "2"]] });
    expect(seen[0]).toMatchObject({ method: "POST", target: "/base/v1/functions/echo/invocations", body: "hi" });
    expect(Object.fromEntries(seen[0]!.headers)).toMatchObject({ "authorization": "Bearer lsk_1", "longshore-invocation-id": invocationId, "longshore-where": "site=plant", "longshore-deadline-ms": "2", "x-a": "1, 2" });
    expect(answer).toMatchObject({ status: 200, siteId: "plant", agentId: "a1", start: "warm", invocationId });
    expect(answer.headers).toContainEqual(["x-own", "y"]);
    expect(answer.headers.some(([name]) => name.startsWith("longshore-"))).toBe(false);
    expect([await answer.text(), await answer.result]).toEqual(["ho", { outcome: "succeeded", status: 200 }]);
  });

  it.each([502, 503, 504])("is told of a proxy that answers %i in a broker's place, and not of a function that answers so", async (status) => {
    const { fleet } = setUp(() => new Response("<h1>No upstream</h1>", { status, headers: { "content-type": "text/html", "retry-after": "7" } }));
    const invocationId = createInvocationId();
    const error = await fleet.call("echo", "hi", { invocationId }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ reason: "proxy_failed", code: "unavailable", phase: undefined, retryAfterMs: 7_000, message: expect.stringContaining(String(status)) as string });
    expect(invocationIdOf(error)).toBe(invocationId);
    const { fleet: other } = setUp(() => new Response("<h1>Mine</h1>", { status, headers: { ...served, "content-type": "text/html", "longshore-result": "succeeded", "content-length": "13" } }));
    expect((await other.call("echo", "hi")).status).toBe(status);
  });

  it("goes to the function's URL when it is HTTP-shaped", async () => {
    const { fleet, seen } = setUp(() => new Response(null, { headers: { ...served, "longshore-result": "succeeded", "content-length": "0" } }));
    await fleet.call("web", undefined, { method: "GET", path: "/a/../b?c=%20" });
    expect(seen[0]).toMatchObject({ method: "GET", target: "/base/f/web/b?c=%20" });
  });

  it.each([
    ["path", { path: "/../../v1/functions/x", method: "DELETE" }],
    ["path", { path: "/%2e%2e/other/" }],
    ["path", { path: "/x#y" }],
    ["path", { path: "x" }],
    ["body", { method: "GET" }],
    ["detach", { detach: true }],
    ["headers.a b", { headers: [["a b", "c"]] as const }],
    ["where.planet", { where: { planet: "earth" } as never }],
  ])("refuses what cannot be sent, naming %s, before anything is", async (field, options) => {
    const { fleet, seen } = setUp(() => new Response());
    await expect(fleet.call("web", "body", options)).rejects.toMatchObject({ code: "invalid_argument", field: field === "where.planet" ? "planet" : field });
    expect(seen).toEqual([]);
  });

  it("that the broker refuses rejects with its problem", async () => {
    const invocationId = createInvocationId();
    const { fleet } = setUp(() => problem(404, { type: "x", title: "x", status: 404, detail: "Cannot find it", code: "not_found", reason: "function_not_found", phase: "admission" }));
    const error: unknown = await fleet.call("none", undefined, { invocationId }).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ name: "LongshoreError", reason: "function_not_found", code: "not_found", phase: "admission", message: "Cannot find it" });
    expect(invocationIdOf(error)).toBe(invocationId);
  });

  it("whose function was not heard out gives its result", async () => {
    const result = { outcome: "failed", exitCode: 3, stderrTail: "oh" };
    const { fleet } = setUp(() => problem(502, { type: "urn:longshore:result:failed", result }, { ...served, "longshore-result": "failed", "content-length": "1" }));
    const answer = await fleet.call("job");
    expect(await answer.result).toEqual(result);
    expect(answer.status).toBeUndefined();
    expect(await answer.bytes()).toHaveLength(0);
  });

  it.each([{ "longshore-result": "failed", "content-length": "1" }, { "longshore-result": "failed" }, {}])("whose function answers with a problem of its own gives that (%j)", async (headers) => {
    const own = { type: "urn:acme:sold-out", result: "none" };
    const { fleet } = setUp(({ target }) => (target.includes("/v1/invocations/") ? Response.json(record({ outcome: "failed", status: 500 })) : problem(500, own, { ...served, ...(headers as Record<string, string>) })));
    const answer = await fleet.call("shop");
    expect(answer.status).toBe(500);
    expect(await answer.json()).toEqual(own);
    expect(await answer.result).toEqual({ outcome: "failed", status: 500 });
  });

  it("that times out gives the result to a HEAD as well", async () => {
    const { fleet } = setUp(() => new Response(null, { status: 504, headers: { ...served, "longshore-result": "timed_out", "content-length": "0" } }));
    const answer = await fleet.call("web", undefined, { method: "HEAD" });
    expect([answer.status, await answer.result]).toEqual([undefined, { outcome: "timed_out" }]);
  });

  it("that is answered in a stream asks the record for the result, until it is finished", async () => {
    const body = openBody();
    const views = [{ state: "running", invocationId: "i", functionName: "f", acceptedAt: "" }, record({ outcome: "succeeded" })];
    const { fleet, seen } = setUp(({ target }) => (target.includes("/v1/invocations/") ? Response.json(views.shift()) : new Response(body.stream, { headers: served })));
    const answer = await fleet.call("stream");
    body.write("one");
    body.end();
    expect(await answer.text()).toBe("one");
    expect(seen).toHaveLength(1);
    expect(await answer.result).toEqual({ outcome: "succeeded" });
    expect(await answer.result).toEqual({ outcome: "succeeded" });
    expect(seen.slice(1).map(({ target }) => target)).toEqual(Array(2).fill(`/base/v1/invocations/${answer.invocationId}`));
  });

  it("gives a long answer as it comes, though its outcome is known", async () => {
    const { fleet, seen } = setUp(() => new Response(new Uint8Array(chunkBytes + 1), { headers: { ...served, "longshore-result": "succeeded", "content-length": String(chunkBytes + 1) } }));
    const answer = await fleet.call("big");
    expect((await answer.bytes()).length).toBe(chunkBytes + 1);
    expect(await answer.result).toMatchObject({ outcome: "succeeded" });
    expect(seen).toHaveLength(1);
  });

  it("whose body breaks off, or is not wanted any more, says so", async () => {
    const bodies = [openBody(), openBody()];
    const waiting = [...bodies];
    const { fleet } = setUp(() => new Response(waiting.shift()!.stream, { headers: served }));
    const broken = await fleet.call("stream");
    bodies[0]!.break();
    await expect(broken.text()).rejects.toMatchObject({ name: "LongshoreError", reason: "connection_lost", invocationId: broken.invocationId });
    await (await fleet.call("stream")).body.cancel("enough");
    expect(await bodies[1]!.cancelled).toBe("enough");
  });

  it("without a broker rejects with connection_lost, aborted with caller_gone", async () => {
    const { fleet } = setUp(() => Promise.reject(new TypeError("fetch failed")));
    await expect(fleet.call("echo")).rejects.toMatchObject({ reason: "connection_lost", code: "unavailable" });
    await expect(fleet.call("echo", undefined, { signal: AbortSignal.abort() })).rejects.toMatchObject({ reason: "caller_gone" });
  });

  it("of an outcome that is new to this build rejects with bad_answer", async () => {
    const { fleet } = setUp(() => new Response(null, { headers: { "longshore-result": "splendid", "content-length": "0" } }));
    await expect(fleet.call("echo")).rejects.toMatchObject({ reason: "bad_answer" });
  });

  it("cannot watch", () => {
    const { fleet } = setUp(() => new Response());
    expect(() => fleet.watch()).toThrow(/WebSocket/);
  });
});
