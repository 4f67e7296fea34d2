import { createHash, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInvocationId, type InvocationRecord } from "@longshore/protocol";
import { createFleet } from "@longshore/sdk";
import { expect, it } from "vitest";
import { readClusterFolder } from "../../packages/broker/src/bus/cluster-folder.ts";
import { openKeptStreams } from "../../packages/broker/src/bus/kept-streams.ts";
import { startFleet, type TestFleet } from "../support/fleet.ts";
import { shellFunction } from "../support/functions.ts";
import { startProcesses } from "../support/processes.ts";

const inline = 256 * 1024;
const mebibyte = 2 ** 20;
const hour = 3_600_000;
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
/** Says the digest of what it was sent. */
const digestFunction = (name: string) => shellFunction(name, "sha256sum | cut -d' ' -f1", { network: "none" });

interface Submitted {
  readonly invocationId: string;
  readonly reason?: string;
  readonly detail?: string;
}

async function submit(url: string, name: string, body: BodyInit, { query = "", headers = {} }: { query?: string; headers?: Record<string, string> } = {}) {
  const answer = await fetch(`${url}/v1/functions/${name}/invocations?mode=async${query}`, { method: "POST", body, headers, duplex: "half" } as RequestInit);
  return { status: answer.status, isReplayed: answer.headers.has("longshore-replayed"), document: (await answer.json()) as Submitted };
}

/** The same bytes, without a length in front. */
function chunked(bytes: Uint8Array): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.subarray(at, at + 100_000));
      at += 100_000;
    },
  });
}

async function ended(url: string, id: string): Promise<InvocationRecord> {
  for (;;) {
    const { record } = (await (await fetch(`${url}/v1/invocations/${id}?waitMs=30000`)).json()) as { record?: InvocationRecord };
    if (record !== undefined) return record;
  }
}

const resultOf = async (url: string, id: string) => (await (await fetch(`${url}/v1/invocations/${id}/result`)).text()).trim();
const cancel = (url: string, id: string) => fetch(`${url}/v1/invocations/${id}`, { method: "DELETE" });

/** How many parts of bodies the bus keeps. */
async function partsKept(credentials: string): Promise<number> {
  const { servers, ca, core } = readClusterFolder(credentials);
  const streams = await openKeptStreams({ servers, ca, credential: core });
  try {
    return await streams.count("queue-bodies");
  } finally {
    await streams.close();
  }
}
const credentialsOf = ({ agents }: TestFleet) => join(dirname(agents[0]?.dataFolder ?? ""), "broker-0", "nats", "credentials");

it("a payload around the limit of what stands with its invocation, and one of megabytes, reaches its image byte for byte, and leaves nothing", async () => {
  await using test = await startFleet({ sites: ["plant"], brokers: 2, broker: { maxBodyBytes: 5 * mebibyte } });
  await test.fleet.deploy(await digestFunction("digest"));
  const [one = "", other = ""] = test.urls;
  for (const length of [inline - 1, inline, inline + 1, 5 * mebibyte]) {
    const bytes = randomBytes(length);
    for (const body of [bytes, chunked(bytes)]) {
      const { status, document } = await submit(one, "digest", body);
      expect(status).toBe(202);
      expect(await ended(other, document.invocationId)).toMatchObject({ result: { outcome: "succeeded" }, payloadBytes: length, attempt: 1 });
      expect(await resultOf(other, document.invocationId)).toBe(sha256(bytes));
    }
  }

  // By the SDK, and under a key: once, whoever waits.
  const bytes = randomBytes(3 * mebibyte);
  const handle = await test.fleet.enqueue("digest", new Blob([bytes]));
  await handle.ended();
  expect((await handle.text()).trim()).toBe(sha256(bytes));
  const answers = await Promise.all([one, other].map(async (url) => (await fetch(`${url}/f/digest/`, { method: "POST", body: bytes, headers: { "idempotency-key": "k" } })).text()));
  expect(answers.map((answer) => answer.trim())).toEqual([sha256(bytes), sha256(bytes)]);
  const changed = await fetch(`${one}/f/digest/`, { method: "POST", body: randomBytes(3 * mebibyte), headers: { "idempotency-key": "k" } });
  expect([changed.status, ((await changed.json()) as Submitted).reason]).toEqual([422, "idempotency_mismatch"]);

  // The same again is the same, and too much is refused, whether it says so before or not.
  const headers = { "longshore-invocation-id": createInvocationId() };
  const [first, again] = [await submit(one, "digest", bytes, { headers, query: `&delayMs=${hour}` }), await submit(other, "digest", bytes, { headers, query: `&delayMs=${hour}` })];
  expect([first.status, first.isReplayed, again.status, again.isReplayed]).toEqual([202, false, 202, true]);
  expect(await partsKept(credentialsOf(test))).toBe(24);
  const tooLarge = randomBytes(5 * mebibyte + 1);
  expect(await submit(one, "digest", tooLarge)).toMatchObject({ status: 413, document: { reason: "payload_too_large", detail: expect.stringContaining(String(5 * mebibyte)) as string } });
  const refused = await submit(one, "digest", chunked(tooLarge)).catch(() => undefined); // The connection may end before its answer is read.
  expect([undefined, 413]).toContain(refused?.status);
  expect(await submit(one, "nobody", bytes)).toMatchObject({ status: 404, document: { reason: "function_not_found" } });
  await cancel(one, first.document.invocationId);
  await ended(one, first.document.invocationId);
  await expect.poll(() => partsKept(credentialsOf(test)), { timeout: 10_000 }).toBe(0);
});

it("an answer of megabytes is kept with its record, and read byte for byte at any broker", async () => {
  await using test = await startFleet({ sites: ["plant"], brokers: 2 });
  await test.fleet.deploy(await shellFunction("cat", "cat", { network: "none" }));
  const [one = "", other = ""] = test.urls;
  for (const length of [inline, inline + 1, 5 * mebibyte]) {
    const bytes = randomBytes(length);
    const { document } = await submit(one, "cat", bytes);
    expect(await ended(other, document.invocationId)).toMatchObject({ result: { outcome: "succeeded" }, resultBytes: length, resultKept: true });
    for (const url of [one, other]) expect(Buffer.from(await (await fetch(`${url}/v1/invocations/${document.invocationId}/result`)).arrayBuffer()).equals(bytes)).toBe(true);
  }
  const bytes = randomBytes(mebibyte);
  const answers = await Promise.all([one, other].map((url) => fetch(`${url}/f/cat/`, { method: "POST", body: bytes, headers: { "idempotency-key": "k" } })));
  for (const answer of answers) expect([answer.status, Buffer.from(await answer.arrayBuffer()).equals(bytes)]).toEqual([200, true]);
});

it("a dead letter keeps its long payload, which is submitted again with it", async () => {
  await using test = await startFleet({ sites: ["plant"] });
  await test.fleet.deploy(await shellFunction("fail", "cat > /dev/null; exit 3", { network: "none", retry: "never" }));
  const bytes = randomBytes(mebibyte + 17);
  const { document } = await submit(test.url, "fail", bytes);
  expect(await ended(test.url, document.invocationId)).toMatchObject({ result: { outcome: "failed", exitCode: 3 } });
  const letter = `${test.url}/v1/dead-letters/${document.invocationId}`;
  expect(Buffer.from(await (await fetch(`${letter}/body`)).arrayBuffer()).equals(bytes)).toBe(true);
  await test.fleet.deploy(await digestFunction("fail"));
  const { invocationId } = (await (await fetch(`${letter}/redrive`, { method: "POST" })).json()) as Submitted;
  expect(await ended(test.url, invocationId)).toMatchObject({ result: { outcome: "succeeded" }, redriveOf: document.invocationId, payloadBytes: bytes.length });
  expect(await resultOf(test.url, invocationId)).toBe(sha256(bytes));
  await expect.poll(() => partsKept(credentialsOf(test)), { timeout: 10_000 }).toBe(0);
});

it("a broker takes in far more than it may hold, and what it accepted begins although it was killed", async () => {
  await using processes = await startProcesses({ brokers: 2, separateBus: true, agents: [{ siteId: "plant" }] });
  const [first, second] = processes.brokers;
  if (first === undefined || second === undefined) throw new Error("two brokers were asked for");
  const fleet = createFleet({ url: first.url, transport: "http" });
  await fleet.deploy(await digestFunction("digest"));
  await fleet.close();
  const most = () => Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${second.pid}/status`, "utf8"))?.[1]) * 1024;

  const before = most();
  const large = await submit(second.url, "digest", chunked(Buffer.alloc(256 * mebibyte, "payload")), { query: `&delayMs=${hour}` });
  expect(large.status).toBe(202);
  expect(most() - before).toBeLessThan(128 * mebibyte);
  await cancel(second.url, large.document.invocationId);
  expect(await ended(second.url, large.document.invocationId)).toMatchObject({ result: { outcome: "cancelled" }, payloadBytes: 256 * mebibyte });
  await expect.poll(() => partsKept(processes.busCredentials), { timeout: 10_000 }).toBe(0);

  const bytes = randomBytes(5 * mebibyte);
  const { document } = await submit(second.url, "digest", bytes, { query: "&delayMs=3000" });
  await second.kill();
  expect(await ended(first.url, document.invocationId)).toMatchObject({ result: { outcome: "succeeded" }, payloadBytes: bytes.length });
  expect(await resultOf(first.url, document.invocationId)).toBe(sha256(bytes));
});
