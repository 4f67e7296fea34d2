import { inlineBodyBytes, LongshoreError } from "@longshore/protocol";
import { randomBytes } from "node:crypto";
import { request } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import { MemoryBodies } from "../bus/testing/memory-bodies.ts";
import { byteLengthOf, type Payload, writePayload } from "../queue/payload.ts";
import type { Submission } from "../queue/submissions.ts";
import type { BrokerParts } from "./handler.ts";
import { type HttpRig, startHttpRig } from "./testing/http-rig.ts";

const path = "/v1/functions/resize/invocations?mode=async";
let rig: HttpRig;
afterEach(() => rig.close());

/** A broker that accepts; bodies are kept in memory. */
async function setUp(limits = {}) {
  const bodies = new MemoryBodies();
  const accepted: Payload[] = [];
  const made = { bodies, accepted, refusal: undefined as LongshoreError | undefined };
  const queue = {
    receive: (terms: Submission) => {
      if (made.refusal !== undefined) throw made.refusal;
      return writePayload(bodies, terms, 0, 0);
    },
    accept: async ({ body, invocationId, functionName }: Submission) => {
      accepted.push(body);
      return { isNew: true, view: { state: "waiting", invocationId, functionName, acceptedAt: "" } };
    },
  } as unknown as BrokerParts["queue"];
  rig = await startHttpRig({}, { parts: { queue }, limits });
  return made;
}

const chunked = { method: "POST", path, headers: { "transfer-encoding": "chunked" } };
const stored = (bodies: MemoryBodies) => Buffer.concat([...bodies.stored.values()].flatMap(({ parts }) => parts));

describe("a payload that comes over HTTP", () => {
  it.each([
    ["with its length", { method: "POST", path }],
    ["in chunks", chunked],
  ])("%s stands with its invocation up to 256 KiB, and is stored beyond", async (_, options) => {
    const { bodies, accepted } = await setUp();
    for (const length of [0, 1, inlineBodyBytes, inlineBodyBytes + 1]) {
      const bytes = randomBytes(length);
      expect((await rig.send({ ...options, body: bytes })).status).toBe(202);
      const body = accepted.at(-1) ?? new Uint8Array(0);
      expect([body instanceof Uint8Array, byteLengthOf(body)]).toEqual([length <= inlineBodyBytes, length]);
      expect((body instanceof Uint8Array ? Buffer.from(body) : stored(bodies)).equals(bytes)).toBe(true);
    }
  });

  it("is refused where it is longer than the broker's limit, and nothing of it stays", async () => {
    const { bodies, accepted } = await setUp({ bodyBytes: 400_000 });
    expect((await rig.send({ method: "POST", path, body: randomBytes(400_000) })).status).toBe(202);
    bodies.stored.clear();
    expect((await rig.send({ method: "POST", path, body: randomBytes(400_001) })).json()).toMatchObject({ reason: "payload_too_large", detail: expect.stringContaining("400000") as string });
    const answer = await rig.send({ ...chunked, body: randomBytes(400_001) }).catch(() => undefined); // The connection may end before its answer is read.
    expect([undefined, 413]).toContain(answer?.status);
    await expect.poll(() => bodies.stored.size).toBe(0);
    expect(accepted).toHaveLength(1);
  });

  it.each([
    ["with its length", { method: "POST", path }],
    ["in chunks", chunked],
  ])("%s is not stored where it would not be accepted", async (_, options) => {
    const made = await setUp();
    made.refusal = new LongshoreError("function_not_found", "Cannot find it", { phase: "admission" });
    expect((await rig.send({ ...options, body: randomBytes(900_000) })).json()).toMatchObject({ reason: "function_not_found" });
    expect([made.bodies.stored.size, made.accepted.length]).toEqual([0, 0]);
  });

  it("that breaks off is taken away again", async () => {
    const { bodies, accepted } = await setUp();
    const broken = request({ port: rig.port, host: "127.0.0.1", ...chunked }).on("error", () => undefined);
    broken.write(randomBytes(600_000));
    await expect.poll(() => bodies.stored.size).toBe(1);
    broken.destroy();
    await expect.poll(() => bodies.stored.size).toBe(0);
    expect(accepted).toEqual([]);
  });

  it("that the bus does not take is refused in its words", async () => {
    const { bodies } = await setUp();
    bodies.failing = new LongshoreError("store_full", "Cannot store a body: the bus has no room for it", { phase: "admission" });
    expect((await rig.send({ method: "POST", path, body: randomBytes(900_000) })).json()).toMatchObject({ status: 503, reason: "store_full" });
    expect(bodies.stored.size).toBe(0);
  });
});
