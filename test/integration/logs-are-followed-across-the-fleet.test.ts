import { readFileSync, writeFileSync } from "node:fs";
import type { LogLine } from "@longshore/protocol";
import { createFleet, type Fleet } from "@longshore/sdk";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { labelKeys } from "../../packages/agent/src/engine/labels.ts";
import { docker } from "../support/agent-engine.ts";
import { laboratoryFunction, shellFunction } from "../support/functions.ts";
import { type Processes, startProcesses } from "../support/processes.ts";

/** Node lets 64 MiB of read buffers wait for their collection, and grows its heap by a little; a flood that were kept would take its 300 MB. */
const mostGrowthBytes = 150 * 2 ** 20;
const sites = ["plant", "cloud"] as const;
const transports = ["websocket", "http"] as const;
type Transport = (typeof transports)[number];

/** Says what it was called with, garbage, and when its input ends. */
const murmur = String.raw`read first; echo "begun by $first" >&2; printf 'a\033[2J\377\000b\r\n' >&2; cat > /dev/null; echo "ended" >&2; echo done`;
/** Its second line: a control sequence, a byte that is no UTF-8, a zero. */
const garbage = "a\u001b[2J\ufffd\u0000b";
/** So many bytes as its input says, then the reason. */
const flood = String.raw`read bytes; yes "$(printf '%0100d' 7)" | head -c $bytes >&2; echo >&2; echo "last words" >&2`;

describe("logs of a fleet", () => {
  let test: Processes;
  let fleets: Readonly<Record<Transport, Fleet>>;
  const leaving = new AbortController();

  beforeAll(async () => {
    test = await startProcesses({ agents: sites.map((siteId) => ({ siteId })) });
    const fleetOver = (transport: Transport) => createFleet({ url: test.url, transport });
    fleets = { websocket: fleetOver("websocket"), http: fleetOver("http") };
    for (const transport of transports) await fleets[transport].deploy(await shellFunction(`murmur-${transport}`, murmur));
    await fleets.http.deploy(await laboratoryFunction("lab"));
    await fleets.http.deploy(await shellFunction("flood", flood, { timeoutMs: 120_000, placement: { sites: ["plant"] } }));
  });
  afterAll(async () => {
    leaving.abort();
    for (const fleet of Object.values(fleets)) await fleet.close();
    await test.close();
  });

  const call = async (fleet: Fleet, name: string, siteId: string, body?: string) => {
    const answer = await fleet.call(name, body, { where: `site=${siteId}` });
    await answer.bytes();
    return answer;
  };

  it.each(transports)("come from every agent as they are written, and end with their invocation, over %s", async (transport) => {
    const fleet = fleets[transport];
    const name = `murmur-${transport}`;
    for (const siteId of sites) await call(fleet, name, siteId, `${siteId}\n`);
    const heard = new Map<string, string[]>();
    for await (const { siteId, stream, invocationId, line } of fleet.logs(name, { follow: true, signal: leaving.signal })) {
      expect({ stream, hasInvocation: invocationId !== undefined }).toEqual({ stream: "stderr", hasInvocation: true });
      heard.set(siteId, [...(heard.get(siteId) ?? []), line]);
      if ([...heard.values()].flat().length === 6) break;
    }
    for (const siteId of sites) expect(heard.get(siteId)).toEqual([`begun by ${siteId}`, garbage, "ended"]);

    const { writable, readable } = new TransformStream<Uint8Array, Uint8Array>();
    const input = writable.getWriter();
    const calling = fleet.call(name, readable, { where: "site=cloud", invocationId: ids[transport] });
    void input.write(new TextEncoder().encode("itself\n"));
    const own = ofOne(fleet, ids[transport]);
    expect((await own.next()).value?.line).toBe("begun by itself");
    await Promise.all([input.close(), calling.then((answer) => answer.bytes())]);
    expect((await allOf(own)).map(({ line }) => line)).toEqual([garbage, "ended"]);
  });

  it.each(transports)("stay when their containers and their function are gone, over %s", async (transport) => {
    const fleet = fleets[transport];
    const name = `murmur-${transport}`;
    const { siteId, agentId, invocationId } = await call(fleet, name, "plant", "me\n");
    const lines = await allOf(fleet.invocation(invocationId).logs());
    expect(lines.map(({ line }) => line)).toEqual(["begun by me", garbage, "ended"]);
    await fleet.remove(name);
    await vi.waitUntil(async () => (await containersOf(lines[0]?.instanceId ?? "")).length === 0, { timeout: 30_000, interval: 200 });
    expect(await allOf(fleet.invocation(invocationId).logs())).toEqual(lines);
    expect(await allOf(fleet.logs(name, { agentId, tail: 3 }))).toEqual(lines);
    expect(await allOf(fleet.logs(name, { siteId, tail: 1, stream: "stderr" }))).toEqual(lines.slice(-1));
    await expect(allOf(fleet.logs("never-was"))).rejects.toMatchObject({ reason: "function_not_found" });
  });

  it("of 300 MB fill nobody's memory, hold nobody up, and say what was cut", async () => {
    const fleet = fleets.websocket;
    await call(fleet, "flood", "plant", "100000000\n"); // A process that reads fast grows to its working size once, whatever becomes of the bytes.
    const slow = fleet.logs("flood", { follow: true, tail: 0, signal: leaving.signal });
    const processes = [test.broker, ...test.agents].map(({ pid }) => watchMemory(pid));
    const flooding = call(fleet, "flood", "plant", "300000000\n");
    await slow.next(); // It reads no further for now.
    let calls = 0;
    for (let isOver = false; !isOver; calls += 1) {
      await call(fleet, "lab", "plant");
      isOver = await Promise.race([flooding.then(() => true), new Promise<boolean>((resolve) => setImmediate(() => resolve(false)))]);
    }
    expect((await (await flooding).result).outcome).toBe("succeeded");
    for (const grownBytes of processes.map((grown) => grown())) expect(grownBytes).toBeLessThan(mostGrowthBytes);
    expect(calls).toBeGreaterThan(1);

    const kept = (await allOf(fleet.logs("flood", { tail: 10_000 }))).map(({ line }) => line);
    expect(kept.at(0)).toMatch(/^… \d+ earlier lines cut here$/);
    expect(kept.some((line) => /^… \d+ bytes of stderr cut here: written faster than logs are kept$/.test(line))).toBe(true);
    expect(kept.at(-1)).toBe("last words");
    for await (const { line } of slow) if (/^… \d+ lines cut here: not read fast enough$/.test(line)) break;
  });

  it("of a web server are those of every instance, without an invocation's id", async () => {
    for (const siteId of sites) await call(fleets.http, "lab", siteId);
    const lines: LogLine[] = [];
    for await (const line of fleets.websocket.logs("lab", { follow: true, signal: leaving.signal })) {
      lines.push(line);
      if (sites.every((siteId) => lines.some((each) => each.siteId === siteId))) break;
    }
    expect(lines.every(({ line, invocationId }) => line === "closed /" && invocationId === undefined)).toBe(true);
  });
});

const ids = { websocket: "0197a7c6-5f3e-7b12-9c58-0d8a4be3f001", http: "0197a7c6-5f3e-7b12-9c58-0d8a4be3f002" } as const;

/** Follows an invocation from wherever it has come to; it may not have been taken yet. */
async function* ofOne(fleet: Fleet, invocationId: string): AsyncGenerator<LogLine, void> {
  await vi.waitUntil(async () => fleet.invocation(invocationId).status().then(() => true, () => false), { timeout: 20_000 });
  yield* fleet.invocation(invocationId).logs({ follow: true });
}

async function allOf(lines: AsyncIterable<LogLine>): Promise<LogLine[]> {
  const all: LogLine[] = [];
  for await (const line of lines) all.push(line);
  return all;
}

function containersOf(instanceId: string) {
  return docker.listContainers({ all: true, filters: { label: [`${labelKeys.instance}=${instanceId}`] } });
}

/** By how much a process has grown at its largest since this was called, in bytes. */
function watchMemory(pid: number): () => number {
  const read = (field: string) => Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) * 1024;
  writeFileSync(`/proc/${pid}/clear_refs`, "5"); // The peak begins anew.
  const before = read("VmRSS");
  return () => read("VmHWM") - before;
}
