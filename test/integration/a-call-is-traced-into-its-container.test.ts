import { createFleet } from "@longshore/sdk";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startFleet, type TestFleet } from "../support/fleet.ts";
import { laboratoryFunction, shellFunction } from "../support/functions.ts";
import { type CollectedSpan, OtlpCollector } from "../support/otlp-collector.ts";

const traceId = "0af7651916cd43dd8448eb211c80319c";
const callersSpan = "b7ad6b7169203331";
const traceparent = `00-${traceId}-${callersSpan}-01`;

interface Seen {
  readonly headers: readonly string[];
}

describe("a fleet with traces on", () => {
  let collector: OtlpCollector;
  let test: TestFleet;
  beforeAll(async () => {
    collector = await OtlpCollector.start();
    test = await startFleet({ sites: ["plant"], broker: { tracesUrl: collector.url } });
    await test.fleet.deploy(await laboratoryFunction("lab"));
    await test.fleet.deploy(await shellFunction("parent", 'cat >/dev/null; printf %s "$TRACEPARENT"'));
    await test.fleet.deploy(await shellFunction("broken", "exit 3", { retry: "never", destinations: { onFailure: { function: "parent" } } }));
  });
  afterAll(async () => {
    await test.close();
    await collector[Symbol.asyncDispose]();
  });
  beforeEach(() => void collector.spans.splice(0));

  const named = (name: string, trace = traceId) => collector.spans.filter((span) => span.name === name && span.traceId === trace);
  const inside = (outer: CollectedSpan | undefined, inner: CollectedSpan | undefined) => {
    expect(inner?.parentId).toBe(outer?.spanId);
    expect(inner?.beginMs).toBeGreaterThanOrEqual((outer?.beginMs ?? Infinity) - 0.002);
    expect(inner?.endMs).toBeLessThanOrEqual((outer?.endMs ?? 0) + 0.002);
  };

  it.each(["websocket", "http"] as const)("tells of a call over %s, hop by hop, in its caller's trace, and its container goes on with it", async (transport) => {
    await using fleet = createFleet({ url: test.url, transport });
    const answer = await fleet.call("lab", undefined, { method: "GET", path: "/request", headers: [["traceparent", traceparent], ["tracestate", "vendor=1"]] });
    const { headers } = (await answer.json()) as Seen;
    const own = answer.headers.find(([name]) => name.toLowerCase() === "traceresponse")?.[1] ?? "";
    expect(await answer.result).toMatchObject({ outcome: "succeeded" });
    await collector.until(() => named("run").length > 0);

    const [[invoke], [placement], [attempt], [start], [run]] = [named("invoke lab"), named("placement"), named("attempt"), named("start"), named("run")];
    expect(invoke).toMatchObject({ kind: 2, parentId: callersSpan, status: 0, attributes: { "faas.invoked_name": "lab", "longshore.outcome": "succeeded", "http.response.status_code": 200, "longshore.site": "plant", "longshore.agent": test.agents[0]?.agentId, "longshore.mode": "sync" }, resource: { "service.name": "longshore-broker" } });
    inside(invoke, placement);
    inside(invoke, attempt);
    inside(attempt, start);
    inside(attempt, run);
    expect(own).toBe(`00-${traceId}-${invoke?.spanId}-01`);
    expect(headers[headers.findIndex((name) => name.toLowerCase() === "traceparent") + 1]).toBe(`00-${traceId}-${run?.spanId}-01`);
    expect(headers[headers.findIndex((name) => name.toLowerCase() === "tracestate") + 1]).toBe("vendor=1");
  });

  it("begins a trace where the caller has none, and its record names it", async () => {
    const answer = await test.fleet.call("lab", undefined, { method: "GET", path: "/status?code=500" });
    expect(await answer.result).toMatchObject({ outcome: "failed" });
    await collector.until(() => collector.spans.some(({ name }) => name === "invoke lab"));
    const [span] = collector.spans.filter(({ name }) => name === "invoke lab");
    expect(span).toMatchObject({ parentId: "", status: 2, attributes: { "error.type": "failed", "http.response.status_code": 500 } });
    const view = await test.fleet.invocation(answer.invocationId).status();
    expect(view).toMatchObject({ state: "finished", record: { trace: { traceId: span?.traceId, spanId: span?.spanId, isSampled: true } } });
  });

  it("tells of accepted work, and of what followed from it, in one trace; a program finds it in its environment", async () => {
    const handle = await test.fleet.enqueue("broken", "x", { headers: [["traceparent", traceparent]] });
    expect(await handle.ended()).toMatchObject({ result: { outcome: "failed" } });
    await collector.until(() => named("invoke parent").length > 0);
    const [broken, parent] = [named("invoke broken")[0], named("invoke parent")[0]];
    expect(broken).toMatchObject({ kind: 5, parentId: callersSpan, status: 2, attributes: { "longshore.mode": "async", "process.exit.code": 3 } });
    expect(parent).toMatchObject({ kind: 5, parentId: broken?.spanId, status: 0 });
    const attempt = named("attempt").find(({ parentId }) => parentId === parent?.spanId);
    inside(parent, attempt);
    const run = named("run").find(({ parentId }) => parentId === attempt?.spanId);
    expect(await test.fleet.invocation(String(parent?.attributes["faas.invocation_id"])).text()).toBe(`00-${traceId}-${run?.spanId}-01`);
  });

  it("tells of nothing that its caller does not record, and says so to the container", async () => {
    const answer = await test.fleet.call("lab", undefined, { method: "GET", path: "/request", headers: [["traceparent", `00-${"1".repeat(32)}-${callersSpan}-00`]] });
    expect(((await answer.json()) as Seen).headers.join()).toMatch(new RegExp(`00-${"1".repeat(32)}-[0-9a-f]{16}-00`));
    await test.fleet.call("lab", undefined, { method: "GET", path: "/status", headers: [["traceparent", traceparent]] }).then((each) => each.result);
    await collector.until(() => named("invoke lab").length > 0); // What came before it would be there by now.
    expect(collector.spans.filter((span) => span.traceId === "1".repeat(32))).toEqual([]);
  });

  it("answers calls while the collector takes nothing, counts what is lost, and goes on afterwards", async () => {
    const count = async (state: string) => Number(new RegExp(`longshore_trace_spans_total\\{state="${state}"\\} (\\d+)`).exec(await (await fetch(`${test.url}/metrics`)).text())?.[1]);
    collector.status = 400; // A failure that is not tried again.
    const failedBefore = await count("failed");
    const refusedBefore = collector.headers.length;
    await test.fleet.call("lab", undefined, { method: "GET", path: "/status" }).then((answer) => answer.result);
    await collector.until(() => collector.headers.length > refusedBefore);
    collector.status = 200;
    await expect.poll(() => count("failed"), { interval: 50, timeout: 20_000 }).toBe(failedBefore + 5);
    await test.fleet.call("lab", undefined, { method: "GET", path: "/status", headers: [["traceparent", traceparent]] }).then((answer) => answer.result);
    await collector.until(() => named("invoke lab").length > 0);
  });
});

it("a fleet with traces off passes on what came, and says nothing of its own", async () => {
  await using test = await startFleet({ sites: ["plant"] });
  await test.fleet.deploy(await laboratoryFunction("lab"));
  const answer = await test.fleet.call("lab", undefined, { method: "GET", path: "/request", headers: [["traceparent", traceparent]] });
  expect(((await answer.json()) as Seen).headers).toContain(traceparent);
  expect(answer.headers.map(([name]) => name.toLowerCase())).not.toContain("traceresponse");
  expect((await test.fleet.invocation(answer.invocationId).status()) as object).not.toHaveProperty("record.trace");
  expect(await (await fetch(`${test.url}/metrics`)).text()).not.toContain("longshore_trace_spans_total");
});
