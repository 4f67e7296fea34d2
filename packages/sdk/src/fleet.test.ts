import { describe, expect, it } from "vitest";
import { createFleet } from "./fleet.ts";
import type { FleetOptions } from "./options.ts";
import { type Answerer, createFakeFetch, openBody } from "./testing/fake-fetch.ts";

const setUp = (answer: Answerer, options: FleetOptions = {}) => {
  const { fetch, seen } = createFakeFetch(answer);
  return { seen, fleet: createFleet({ url: "http://broker.test", fetch, ...options }) };
};
const collect = async <T>(all: AsyncIterable<T>) => {
  const collected: T[] = [];
  for await (const each of all) collected.push(each);
  return collected;
};
const lines = (...documents: unknown[]) => new Response(documents.map((document) => `${JSON.stringify(document)}\n`).join(""), { headers: { "content-type": "application/x-ndjson" } });
const view = {
  name: "f", image: "i", env: {}, memoryBytes: 2 ** 28, cpuMillis: 1000, timeoutMs: 1, startTimeoutMs: 1, stopGraceMs: 1, scratchBytes: 2 ** 26, network: "none", profile: "standard", minInstances: 0, idempotent: false,
  retry: "default", placement: {}, contract: "http", concurrency: 80, secretNames: [], revision: 1, revisionId: "f-r1", createdAt: "",
  resolvedImage: { reference: "i", digest: "sha256:0", local: false, architecture: "amd64", sizeBytes: 1, entrypoint: [], command: [], exposedPorts: [] },
};
const schedule = { name: "s", function: "f", everyMs: 5000, missed: "once", paused: false, bodyBytes: 0, createdAt: "", updatedAt: "", nextAt: "" };
const deployed = { function: view, created: true, changed: true, contractBecause: "it exposes a port" };
const progress = { siteId: "plant", agentId: "a1", pull: { layers: 2, layersDone: 1, bytes: 10, bytesDone: 5 } };
const logLine = { at: "", siteId: "plant", agentId: "a1", instanceId: "i1", functionName: "f", revisionId: "f-r1", stream: "stdout", line: "hello" };

describe("the fleet's methods", () => {
  it.each<[what: string, run: (fleet: ReturnType<typeof createFleet>) => Promise<unknown>, method: string, target: string, answer: unknown]>([
    ["list", (fleet) => fleet.list(), "GET", "/v1/functions", { functions: [] }],
    ["get", (fleet) => fleet.get("a/b"), "GET", "/v1/functions/a%2Fb", view],
    ["revisions", (fleet) => fleet.revisions("f"), "GET", "/v1/functions/f/revisions", { revisions: [view] }],
    ["remove", (fleet) => fleet.remove("f"), "DELETE", "/v1/functions/f", undefined],
    ["agents.list", (fleet) => fleet.agents.list(), "GET", "/v1/agents", { agents: [] }],
    ["agents.revoke", (fleet) => fleet.agents.revoke("a1"), "POST", "/v1/agents/a1/revoke", undefined],
    ["sites.list", (fleet) => fleet.sites.list(), "GET", "/v1/sites", { sites: [] }],
    ["schedules.list", (fleet) => fleet.schedules.list(), "GET", "/v1/schedules", { schedules: [] }],
    ["schedules.get", (fleet) => fleet.schedules.get("a/b"), "GET", "/v1/schedules/a%2Fb", schedule],
    ["schedules.set", (fleet) => fleet.schedules.set({ name: "s", function: "f", everyMs: 5000 }), "PUT", "/v1/schedules/s", schedule],
    ["schedules.remove", (fleet) => fleet.schedules.remove("s"), "DELETE", "/v1/schedules/s", undefined],
    ["schedules.pause", (fleet) => fleet.schedules.pause("s"), "POST", "/v1/schedules/s/pause", schedule],
    ["schedules.resume", (fleet) => fleet.schedules.resume("s"), "POST", "/v1/schedules/s/resume", schedule],
    ["schedules.run", (fleet) => fleet.schedules.run("s"), "POST", "/v1/schedules/s/run", { invocationId: "i" }],
    ["history", (fleet) => fleet.history({ function: "f", lastMs: 60_000 }), "GET", "/v1/history?function=f&lastMs=60000", { fromMs: 0, untilMs: 1, stepMs: 10_000, functions: [] }],
    ["tokens.create", (fleet) => fleet.tokens.create({ site: "plant" }), "POST", "/v1/tokens", { token: "t", siteId: "plant", expiresAt: "" }],
    ["invocation.cancel", (fleet) => fleet.invocation("i").cancel(), "DELETE", "/v1/invocations/i", undefined],
  ])("%s asks the broker", async (_what, run, method, target, answer) => {
    const { fleet, seen } = setUp(() => (answer === undefined ? new Response(null, { status: 204 }) : Response.json(answer)));
    await run(fleet);
    expect(seen).toMatchObject([{ method, target }]);
  });

  it("reject with what the broker refused, what it should not have said, and what the connection did", async () => {
    const answers = [
      () => Response.json({ type: "x", detail: "no", code: "permission_denied", reason: "not_allowed" }, { status: 403 }),
      () => new Response("<h1>Bad Gateway</h1>", { status: 502 }),
      () => new Response("<h1>It works!</h1>", { status: 500 }),
      () => new Response("<h1>It works!</h1>"),
      () => Response.json({ functions: [{ name: 1 }] }),
      () => Promise.reject(new TypeError("fetch failed")),
    ];
    const { fleet } = setUp(() => answers.shift()!());
    await expect(fleet.list()).rejects.toMatchObject({ reason: "not_allowed", message: "no" });
    await expect(fleet.list()).rejects.toMatchObject({ reason: "proxy_failed", code: "unavailable", message: expect.stringContaining("502") });
    await expect(fleet.list()).rejects.toMatchObject({ reason: "unexpected" });
    await expect(fleet.list()).rejects.toMatchObject({ reason: "bad_answer" });
    await expect(fleet.list()).rejects.toMatchObject({ reason: "bad_answer", message: expect.stringContaining("functions.0") });
    await expect(fleet.list()).rejects.toMatchObject({ reason: "connection_lost" });
  });
});

describe("listings", () => {
  const agent = (agentId: string) => ({ agentId, siteId: "plant", state: "lost", cordoned: false, labels: {}, lastHeardAt: "", capacity: { sequence: 0, memoryBytes: 0, memoryFreeBytes: 0, instancesMax: 0, instancesFree: 0, running: 0, idle: 0, held: 0 }, functions: [] });
  const twoPages: Answerer = ({ target }) => Response.json(target.includes("after=") ? { agents: [agent("b")] } : { agents: [agent("a")], next: "a" });

  it("ask for page after page, as far as they are read", async () => {
    const { fleet, seen } = setUp(twoPages);
    expect((await fleet.agents.list({ site: "plant" })).map(({ agentId }) => agentId)).toEqual(["a", "b"]);
    expect(seen.map(({ target }) => target)).toEqual(["/v1/agents?site=plant", "/v1/agents?site=plant&after=a"]);
    for await (const { agentId } of fleet.agents.each()) if (agentId === "a") break;
    expect(seen).toHaveLength(3);
  });
});

describe("terminal records", () => {
  const record = (invocationId: string) => ({ invocationId, functionName: "f", attempt: 1, result: { outcome: "failed" }, acceptedAt: "", finishedAt: "", timings: {}, payloadBytes: 0, resultBytes: 0, resultKept: false });
  const next = "2026-11-28T20:04:01.000000001Z";

  it("come as a page, or one after another, each page before the end of the one that it follows", async () => {
    const { fleet, seen } = setUp(({ target }) => Response.json(target.includes("before=") ? { records: [record("b")] } : { records: [record("a")], next }));
    expect(await fleet.records.page({ function: "f", outcome: "failed", limit: 1 })).toMatchObject({ records: [{ invocationId: "a" }], next });
    expect((await collect(fleet.records.each({ site: "plant" }))).map(({ invocationId }) => invocationId)).toEqual(["a", "b"]);
    expect(seen.map(({ target }) => target)).toEqual(["/v1/records?function=f&outcome=failed&limit=1", "/v1/records?site=plant", `/v1/records?site=plant&before=${encodeURIComponent(next)}`]);
  });
});

describe("deploy()", () => {
  it("tells progress, then gives the answer", async () => {
    const { fleet, seen } = setUp(() => lines({ progress }, { answer: deployed }));
    const told: unknown[] = [];
    expect(await fleet.deploy({ name: "f", image: "i" }, { onProgress: (each) => told.push(each) })).toMatchObject({ created: true, function: { revisionId: "f-r1" } });
    expect(told).toEqual([progress]);
    expect(seen[0]).toMatchObject({ method: "PUT", target: "/v1/functions/f", body: '{"name":"f","image":"i"}' });
  });

  it("rejects with what went wrong, and when nobody can tell", async () => {
    const body = openBody();
    const answers = [lines({ progress }, { error: { code: "unavailable", reason: "image_pull_failed", message: "no" } }), lines({ progress }), new Response(body.stream)];
    const { fleet } = setUp(() => answers.shift()!);
    await expect(fleet.deploy({ name: "f", image: "i" })).rejects.toMatchObject({ reason: "image_pull_failed" });
    await expect(fleet.deploy({ name: "f", image: "i" })).rejects.toMatchObject({ reason: "connection_lost" });
    const broken = fleet.deploy({ name: "f", image: "i" });
    body.break();
    await expect(broken).rejects.toMatchObject({ reason: "connection_lost" });
  });
});

describe("logs() over HTTP", () => {
  it("gives lines as they come, whatever the parts they come in, and the last without a line feed", async () => {
    const body = openBody();
    const { fleet, seen } = setUp(() => new Response(body.stream), { transport: "http" });
    const json = JSON.stringify({ ...logLine, line: "grüße" });
    const cut = json.indexOf("g");
    body.write(`${json}\n${json.slice(0, cut)}`);
    body.write(`${json.slice(cut)}\n\n${json}`);
    body.end();
    expect((await collect(fleet.logs("f", { follow: true, tail: 5 }))).map(({ line }) => line)).toEqual(["grüße", "grüße", "grüße"]);
    expect(seen[0]).toMatchObject({ target: "/v1/functions/f/logs?follow=true&tail=5" });
  });

  it("ends with its signal, and lets go of the connection when its reader leaves", async () => {
    const bodies = [openBody(), openBody()];
    const waiting = [...bodies];
    const { fleet } = setUp(() => new Response(waiting.shift()!.stream), { transport: "http" });
    const leaving = new AbortController();
    bodies[0]!.write(`${JSON.stringify(logLine)}\n`);
    for await (const { line } of fleet.logs("f", { follow: true, signal: leaving.signal })) {
      expect(line).toBe("hello");
      leaving.abort();
      bodies[0]!.break(); // As fetch does.
    }
    bodies[1]!.write(`${JSON.stringify(logLine)}\n`);
    for await (const _ of fleet.logs("f")) break;
    await bodies[1]!.cancelled;
  });

  it("rejects when the connection breaks", async () => {
    const body = openBody();
    const { fleet } = setUp(() => new Response(body.stream), { transport: "http" });
    const all = collect(fleet.logs("f", { follow: true }));
    body.break();
    await expect(all).rejects.toMatchObject({ reason: "connection_lost" });
  });
});
